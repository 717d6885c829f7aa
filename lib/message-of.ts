/** What is said of anything that was thrown: its message, when it is an error. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
