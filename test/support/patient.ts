/** A test that starts processes, and waits for the end of a fault, takes its time. */
jest.setTimeout(120_000);
