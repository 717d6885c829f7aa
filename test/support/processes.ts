/** Is there a process of this id? (kill(2): signal 0 asks, and sends nothing.) */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
