// Who the page speaks for. A server with tokens answers 401 until somebody signs in; the cookie that comes of it belongs to
// the browser, and what keeps other pages from using it is a header that is kept here.
import { signal } from "@preact/signals";

export const FORGERY_HEADER = "X-Tidemark-Csrf";

// What the server says of a session.
export interface WhoAmI {
  name: string;
  // Whether the server asks for tokens at all.
  tokens: boolean;
  csrf?: string;
}

export class Session {
  // Whether somebody must sign in before there are answers.
  readonly needed = signal(false);
  // Undefined until the server has said it, and while nobody is signed in.
  readonly who = signal<WhoAmI | undefined>(undefined);

  // Whose answers the page holds, also after his session has ended.
  readonly shown = signal<string | undefined>(undefined);

  get forgeryValue(): string | undefined {
    return this.who.value?.csrf;
  }

  // Somebody is signed in, or the server asks nobody. Whether it is somebody else than before: what the page holds is not
  // for him.
  accepted(who: WhoAmI): boolean {
    const another = this.shown.value !== undefined && this.shown.value !== who.name;
    this.who.value = who;
    this.shown.value = who.name;
    this.needed.value = false;
    return another;
  }

  // The server asks who this is: nobody has signed in, or the session has ended.
  refused(): void {
    this.who.value = undefined;
    this.needed.value = true;
  }
}
