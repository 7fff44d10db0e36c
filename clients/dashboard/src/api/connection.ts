// Whether the server answers. One for the page: every request reports here, and who waits for the server asks here.
import { signal } from "@preact/signals";

export interface ConnectionState {
  // Milliseconds of Date.now() since when the server does not answer; undefined while it does.
  lostAt: number | undefined;
  // Tries since then.
  tries: number;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 20_000;

// The wait before try `tries` (from 0): doubled each time, and between half and all of that, so that the pages of a
// server that comes back do not all ask at once.
export function backOffMs(tries: number, random: () => number = Math.random): number {
  const whole = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(tries, 16));
  return whole / 2 + (whole / 2) * random();
}

export class Connection {
  readonly state = signal<ConnectionState>({ lostAt: undefined, tries: 0 });
  private readonly waiting = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  // `probe` resolves to whether the server answers; it never rejects.
  constructor(private readonly probe: () => Promise<boolean>) {}

  get lost(): boolean {
    return this.state.value.lostAt !== undefined;
  }

  // Calls `back` once whenever the server answers again. The result ends that.
  onBack(back: () => void): () => void {
    this.waiting.add(back);
    return () => this.waiting.delete(back);
  }

  reportAnswer(): void {
    if (!this.lost) return;
    clearTimeout(this.timer);
    this.state.value = { lostAt: undefined, tries: 0 };
    for (const back of [...this.waiting]) back();
  }

  reportLoss(): void {
    if (this.lost) return;
    this.state.value = { lostAt: Date.now(), tries: 0 };
    this.tryLater();
  }

  private tryLater(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(async () => {
      const answers = await this.probe();
      if (!this.lost) return;
      if (answers) {
        this.reportAnswer();
      } else {
        this.state.value = { ...this.state.value, tries: this.state.value.tries + 1 };
        this.tryLater();
      }
    }, backOffMs(this.state.value.tries));
  }
}
