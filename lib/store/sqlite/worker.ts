/** Entry of the store's threads: takes all that has arrived at once, and ends after `close`. */
import { readlinkSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { basename } from "node:path";
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

/** Lowers the priority of this thread alone, where the system knows such a thing (Linux). */
function giveWay(): void {
  try {
    setPriority(Number(basename(readlinkSync("/proc/thread-self"))), constants.priority.PRIORITY_LOW);
  } catch {
    // Elsewhere a checkpoint competes with the writer; it is only slower.
  }
}

if (!parentPort) throw new Error("this file is a worker thread's");
if ((workerData as WorkerData).role === "copy") giveWay();
serve(parentPort, workerData as WorkerData);
