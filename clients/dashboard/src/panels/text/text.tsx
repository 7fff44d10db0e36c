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

export function Paragraphs({ text }: { text: string }) {
  return (
    <div class="text">
      {text.split(/\n\s*\n/).map((paragraph) => {
        const lines = paragraph.split("\n");
        return lines.every((line) => line.startsWith("- "))
          ? <ul>{lines.map((line) => <li>{inline(line.slice(2))}</li>)}</ul>
          : <p>{inline(lines.join(" "))}</p>;
      })}
    </div>
  );
}

const TextView = ({ panel, values }: PanelProps) => <Paragraphs text={interpolateShown(String(panel.options?.text ?? ""), values)} />;

export const text: PanelType = { type: "text", height: 3, sizing: "flows", hasData: () => true, view: TextView };
