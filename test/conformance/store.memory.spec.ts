import { MemoryStore } from "../../lib/store/memory";
import { storeSuite } from "./store.suite";

storeSuite("memory", () => {
  const store = new MemoryStore();
  return Promise.resolve({ store, close: () => store.close() });
});
