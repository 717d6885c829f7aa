/** Entry of the store's threads: takes all that has arrived at once, and ends after `close`. */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { Answer, Request, WorkerData } from "./protocol";
import { Reader } from "./reader";
import { Writer } from "./writer";

function serve(port: NonNullable<typeof parentPort>, data: WorkerData): void {
  let closed: Request | undefined;
  const post = (answers: Answer[]): void => port.postMessage(answers);
  const drain = (requests: Request[]): Request[] => {
    for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port))
      requests.push(next.message as Request);
    closed ??= requests.find((request) => request.operation === "close");
    return requests.filter((request) => request.operation !== "close");
  };
  const worker = data.role === "write" ? new Writer(data, post, () => drain([])) : new Reader(data, post);
  port.on("message", (first: Request) => {
    const requests = drain([first]);
    if (requests.length > 0) worker.handle(requests);
    if (!closed) return;
    worker.close();
    post([{ id: closed.id, outcome: { value: "" } }]);
    port.close();
  });
}

if (!parentPort) throw new Error("this file is a worker thread's");
serve(parentPort, workerData as WorkerData);
