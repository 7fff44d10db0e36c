// Steady: asks the same thing again and again, and shows what comes although answers may take longer than a refresh. One question is under way at a
// time; of those that are wanted meanwhile the newest is asked when it has ended. Another question takes its place at once.
// What is under way for longer is no reason to wait: a connection may be dead. Its answer still counts when it comes first.
export const PATIENCE_MS = 20_000;

interface Run {
  key: string;
  abort: AbortController;
  since: number;
}

export class Steady {
  // Those that are under way, oldest first.
  private runs: Run[] = [];
  private next: (() => void) | undefined;

  constructor(private readonly clock: () => number = Date.now) {}

  // `key`: equal for the same question at another moment. `run` must not take an answer whose signal is aborted.
  ask(key: string, run: (signal: AbortSignal) => Promise<unknown>): void {
    const newest = this.runs.at(-1);
    if (newest?.key === key && this.clock() - newest.since < PATIENCE_MS) {
      this.next = () => this.ask(key, run);
      return;
    }
    if (newest && newest.key !== key) this.stop();
    this.next = undefined;
    const mine: Run = { key, abort: new AbortController(), since: this.clock() };
    this.runs.push(mine);
    const ended = () => this.ended(mine);
    run(mine.abort.signal).then(ended, ended);
  }

  // No answer that comes later is taken.
  stop(): void {
    for (const run of this.runs) run.abort.abort();
    this.runs = [];
    this.next = undefined;
  }

  private ended(mine: Run): void {
    const place = this.runs.indexOf(mine);
    if (place < 0) return;
    // Those that were asked before know less.
    for (const older of this.runs.splice(0, place + 1)) if (older !== mine) older.abort.abort();
    const next = this.next;
    this.next = undefined;
    next?.();
  }
}
