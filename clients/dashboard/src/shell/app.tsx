// App: navigation, toolbar, and the page that the address names.
import { useEffect, useRef, useState } from "preact/hooks";
import type { ComponentType } from "preact";
import type { Dashboard } from "../model/schema";
import { faultsOf } from "../model/schema";
import { PAGES, pageRow, type PageRow } from "../pages/registry";
import { DashboardPage } from "../pages/dashboard_page";
import { PANEL_TYPES } from "../panels/registry";
import { api } from "../api";
import { Help, useKeys } from "./keys";
import { SignedIn, SignIn } from "./sign_in";
import { address, go, pageAddress } from "./state";
import { Toolbar } from "./toolbar";
import "./app.css";

type Loaded = { row: PageRow; dashboard: Dashboard } | { row: PageRow; view: ComponentType } | { row: PageRow; failed: string };

const TYPES = PANEL_TYPES.map((row) => row.type);

function usePage(): Loaded | undefined {
  const [loaded, setLoaded] = useState<Loaded>();
  const row = pageRow(address.value.page);
  useEffect(() => {
    let current = true;
    document.title = `${row.title} · Tidemark`;
    row.load().then(
      (page) => { if (current) setLoaded({ row, ...page }); },
      () => { if (current) setLoaded({ row, failed: "This part of the page could not be loaded. It is tried again when you choose it again." }); },
    );
    return () => { current = false; };
  }, [row]);
  return loaded;
}

export function App() {
  const loaded = usePage();
  const [help, setHelp] = useState(false);
  useKeys(() => setHelp((shown) => !shown));
  useEffect(() => { void api.whoAmI(); }, []);
  const row = pageRow(address.value.page);
  return (
    <div class="app">
      <a class="skip" href="#content" onClick={(event) => { event.preventDefault(); document.getElementById("content")?.focus(); }}>Skip to the page</a>
      <Navigation current={row} />
      <div class="main">
        <Toolbar title={row.title} onHelp={() => setHelp(true)} />
        <main id="content" tabIndex={-1}>
          <Content loaded={loaded} />
        </main>
        <footer>Numbers come from this server alone. <button class="link" onClick={() => setHelp(true)}>Keys</button><SignedIn /></footer>
      </div>
      {api.session.needed.value && <SignIn />}
      {help && <Help onClose={() => setHelp(false)} />}
    </div>
  );
}

function Content({ loaded }: { loaded: Loaded | undefined }) {
  if (!loaded) return null;
  if ("failed" in loaded) return <p class="is-bad">{loaded.failed}</p>;
  if ("view" in loaded) return <loaded.view />;
  const faults = faultsOf(loaded.dashboard, TYPES);
  if (faults.length > 0) return <><p class="is-bad">This dashboard cannot be drawn:</p><ul>{faults.map((fault) => <li>{fault}</li>)}</ul></>;
  return <DashboardPage key={loaded.row.id} dashboard={loaded.dashboard} />;
}

function Navigation({ current }: { current: PageRow }) {
  const groups = [...new Set(PAGES.map((page) => page.group))];
  const home = useRef<HTMLElement>(null);
  // On a narrow screen the pages stand side by side: the one that is shown is among those that are seen.
  useEffect(() => {
    const here = home.current?.querySelector<HTMLElement>("[aria-current]");
    if (home.current && here) home.current.scrollLeft = here.offsetLeft - (home.current.clientWidth - here.offsetWidth) / 2;
  }, [current]);
  return (
    <nav aria-label="Pages" ref={home}>
      <p class="brand"><b>Tide</b>mark</p>
      {groups.map((group) => (
        <ul key={group}>
          {PAGES.filter((page) => page.group === group).map((page) => (
            <li key={page.id}>
              <a href={pageAddress(page.id)} aria-current={page === current ? "page" : undefined}
                onClick={(event) => {
                  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                  event.preventDefault();
                  go({ page: page.id, panel: undefined, rest: {} });
                  scrollTo(0, 0);
                }}>{page.title}</a>
            </li>
          ))}
        </ul>
      ))}
    </nav>
  );
}
