// Links: what a dashboard or a panel points to.
import type { Link } from "../model/schema";
import type { Values } from "../model/variables";
import { pageAddress, span } from "../shell/state";
import { hrefOf } from "./href";

export function Links({ links, values }: { links: Link[] | undefined; values: Values | undefined }) {
  const shown = (links ?? []).flatMap((link) => {
    const href = link.page !== undefined ? pageAddress(link.page) : hrefOf(link, values ?? {}, span.peek());
    return href === undefined ? [] : [{ title: link.title || href, href }];
  });
  if (shown.length === 0) return null;
  return <span class="links">{shown.map((link) => <a key={`${link.title} ${link.href}`} href={link.href}>{link.title}</a>)}</span>;
}
