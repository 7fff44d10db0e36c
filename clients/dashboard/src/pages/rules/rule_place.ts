// Where in a text of rules a fault is, as the server says it.

// "NAMESPACE:LINE:COLUMN: reason": where the fault is in the text.
export function faultPlace(message: string): { line: number; column: number } | undefined {
  const match = /:(\d+):(\d+):/.exec(message);
  return match ? { line: Number(match[1]), column: Number(match[2]) } : undefined;
}

// The place of a line and a column, both from 1, in a text.
export function offsetOf(text: string, { line, column }: { line: number; column: number }): number {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  return Math.min(text.length, before + column - 1);
}
