// The silence that somebody is writing: begun at an alert, written where the silences are.
import { signal } from "@preact/signals";

export const wantedMatchers = signal<string | undefined>(undefined);
