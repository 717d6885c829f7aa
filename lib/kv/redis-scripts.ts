/** What Redis must do in one step, as Lua (Redis scripts are atomic). Keys first, then arguments. */

interface Script {
  /** Absent where the first argument tells it. */
  readonly numberOfKeys?: number;
  readonly lua: string;
}

export const SCRIPTS = {
  /**
   * Key: counter. Arguments: addition, milliseconds. The expiry is set by the first addition, and by any that finds
   * none.
   */
  parleyIncrement: {
    numberOfKeys: 1,
    lua: `
      local value = redis.call('INCRBY', KEYS[1], ARGV[1])
      local left = redis.call('PTTL', KEYS[1])
      if left < 0 then
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
        left = tonumber(ARGV[2])
      end
      return { value, left }`,
  },
  /**
   * Keys: lists. Arguments: index of the first value that each list keeps, milliseconds; then for each list the number
   * of its new values, and these. The commands are cheap, sending them one by one is not.
   */
  parleyPush: {
    lua: `
      local at = 3
      for _, key in ipairs(KEYS) do
        local count = tonumber(ARGV[at])
        for i = at + 1, at + count do redis.call('RPUSH', key, ARGV[i]) end
        redis.call('LTRIM', key, ARGV[1], -1)
        redis.call('PEXPIRE', key, ARGV[2])
        at = at + 1 + count
      end`,
  },
  /** Keys: lease, its last token, which never expires. Arguments: holder, milliseconds. */
  parleyAcquire: {
    numberOfKeys: 2,
    lua: `
      if redis.call('EXISTS', KEYS[1]) == 1 then return false end
      local time = redis.call('TIME')
      local now = time[1] * 1000 + math.floor(time[2] / 1000)
      local last = tonumber(redis.call('GET', KEYS[2]) or '0')
      local token = string.format('%.0f', math.max(last + 1, now))
      redis.call('SET', KEYS[2], token)
      redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
      return token`,
  },
  /** Key: lease. Arguments: holder, milliseconds. */
  parleyRenew: {
    numberOfKeys: 1,
    lua: `
      if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
      return redis.call('PEXPIRE', KEYS[1], ARGV[2])`,
  },
  /** Key: lease. Argument: holder. */
  parleyRelease: {
    numberOfKeys: 1,
    lua: `
      if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
      return redis.call('DEL', KEYS[1])`,
  },
} as const satisfies Record<string, Script>;

type Call<R> = (...keysAndArguments: ReadonlyArray<string | number>) => Promise<R>;

/** The scripts as methods of a client that has defined them. */
export interface ScriptedCommands {
  readonly parleyIncrement: Call<[number, number]>;
  readonly parleyPush: Call<unknown>;
  readonly parleyAcquire: Call<string | null>;
  readonly parleyRenew: Call<number>;
  readonly parleyRelease: Call<number>;
}
