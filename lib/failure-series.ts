import type { ServiceBroker } from "moleculer";

/** Tells the operator of failures that follow each other: once when they begin, with the error, and once when they end. */
export class FailureSeries {
  private failing = false;

  constructor(
    private readonly logger: Pick<ServiceBroker["logger"], "warn">,
    private readonly texts: { readonly begins: string; readonly ends: string },
  ) {}

  failed(error: unknown): void {
    if (this.failing) return;
    this.failing = true;
    this.logger.warn(this.texts.begins, { error });
  }

  worked(): void {
    if (!this.failing) return;
    this.failing = false;
    this.logger.warn(this.texts.ends);
  }
}
