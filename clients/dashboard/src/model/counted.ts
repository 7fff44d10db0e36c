/** "1 rule", "2 rules": for words whose plural takes an s. */
export function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
