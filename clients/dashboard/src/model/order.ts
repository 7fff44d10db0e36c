// Order of names: as people count, "cpu2" before "cpu10". One collator: String.localeCompare with options makes one for each pair that it
// compares, which was the dearest part of a redraw.
export const byText: (a: string, b: string) => number = new Intl.Collator("en", { numeric: true }).compare;
