// text: paragraphs, lists and links, as text and never as HTML. options: {"text": "..."}: a blank line parts paragraphs,
// variables stand as $name, "- " begins an item, [title](address) is a link, `code` is code and **strong** is strong.
import type { ComponentChildren } from "preact";
import { interpolateShown } from "../../model/variables";
import type { PanelProps, PanelType } from "../panel_type";
import "./text.css";

// Addresses that a text may link to: none that runs a script.
export function safeHref(href: string): string | undefined {
  return /^(https?:\/\/|\?|\/(?!\/)|#)/.test(href) ? href : undefined;
}

export function inline(text: string): ComponentChildren[] {
  return text.split(/(\[[^\]]+\]\([^)\s]+\)|`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    const link = /^\[([^\]]+)\]\(([^)\s]+)\)$/.exec(part);
    if (link) {
      const href = safeHref(link[2] as string);
      return href ? <a href={href}>{link[1]}</a> : link[1];
    }
    if (part.startsWith("`") && part.endsWith("`") && part.length > 2) return <code>{part.slice(1, -1)}</code>;
    if (part.startsWith("**") && part.endsWith("**") && part.length > 4) return <strong>{part.slice(2, -2)}</strong>;
    return part;
  });
}

// Paragraphs and lists: a list begins where a line begins with "- ", also right below a paragraph; what is strong as a whole is a line of its own.
export function blocksOf(text: string): { list: boolean; lines: string[] }[] {
  return text.split(/\n\s*\n/).flatMap((paragraph) => {
    const blocks: { list: boolean; lines: string[]; whole?: boolean }[] = [];
    for (const line of paragraph.split("\n").filter((one) => one.trim() !== "")) {
      const list = line.startsWith("- ");
      const whole = /^\*\*[^*]+\*\*$/.test(line.trim());
      const last = blocks[blocks.length - 1];
      if (last && last.list === list && !whole && last.whole !== true) last.lines.push(list ? line.slice(2) : line);
      else blocks.push({ list, lines: [list ? line.slice(2) : line], ...(whole ? { whole } : {}) });
    }
    return blocks.map(({ list, lines }) => ({ list, lines }));
  });
}

export function Paragraphs({ text }: { text: string }) {
  return (
    <div class="text">
      {blocksOf(text).map((block) => (block.list
        ? <ul>{block.lines.map((line) => <li>{inline(line)}</li>)}</ul>
        : <p>{inline(block.lines.join(" "))}</p>))}
    </div>
  );
}

const TextView = ({ panel, values }: PanelProps) => <Paragraphs text={interpolateShown(String(panel.options?.text ?? ""), values)} />;

export const text: PanelType = { type: "text", height: 3, sizing: "flows", hasData: () => true, view: TextView };
