// What a reader's browser keeps for the page: the theme, who silences alerts. Where nothing may be kept, it holds until the page is left.
export function recall(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // It is gone with the page.
  }
}
