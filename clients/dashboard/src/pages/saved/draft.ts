// What of an edited dashboard is not saved yet: kept in the browser, so that leaving or reloading the page loses nothing.
import { recall, remember } from "../../shell/state";

export interface Draft {
  // The text and the version that the editing began with.
  base: string;
  version: number;
  text: string;
}

const keyOf = (name: string) => `tidemark.draft.${name}`;

export function keepDraft(name: string, draft: Draft | undefined): void {
  remember(keyOf(name), draft ? JSON.stringify(draft) : "");
}

export function recallDraft(name: string): Draft | undefined {
  try {
    const draft = JSON.parse(recall(keyOf(name)) || "null") as Partial<Draft> | null;
    if (typeof draft?.base === "string" && typeof draft.text === "string" && typeof draft.version === "number") return draft as Draft;
  } catch {
    // What is no draft is none.
  }
  return undefined;
}
