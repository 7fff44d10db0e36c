// Where in a query the server's message says that the fault is: "1:5: parse error: ..." counts lines and characters
// from 1.
export function placeOf(message: string, text: string): { from: number; to: number } | undefined {
  const place = /\b(\d+):(\d+): /.exec(message);
  if (!place || text === "") return undefined;
  const lines = text.split("\n");
  const line = Number(place[1]) - 1;
  if (line < 0 || line >= lines.length) return undefined;
  const before = lines.slice(0, line).reduce((sum, one) => sum + one.length + 1, 0);
  const from = Math.min(text.length - 1, before + Math.max(0, Number(place[2]) - 1));
  const word = /^[\w:]+/.exec(text.slice(from));
  return { from, to: Math.min(text.length, from + Math.max(1, word?.[0].length ?? 1)) };
}
