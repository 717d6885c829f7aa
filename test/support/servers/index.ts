export { MissingProgramError } from "./obtain";
export { type MongoKind, type MongoOptions, MongoServer } from "./mongo";
export { type NatsOptions, NatsServer } from "./nats";
export { type ServerOptions, ServerProcess } from "./process";
export { type RedisOptions, RedisServer } from "./redis";
export { type ServerEnvironment, type Servers, type ServersOptions, startServers } from "./servers";
export {
  type Fresh,
  freshDatabase,
  type FreshEnvironment,
  freshEnvironment,
  freshRedis,
  type MongoName,
  mongoNames,
  withDatabase,
} from "./shared";
