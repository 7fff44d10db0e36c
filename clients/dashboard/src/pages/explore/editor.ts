// The query editor: CodeMirror with PromQL. It lives in a shadow root: there its styles are adopted style sheets, which
// the content security policy of the page allows.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { PromQLExtension } from "@prometheus-io/codemirror-promql";
import { DatabaseClient } from "./completion";
import { placeOf } from "./error_place";

export interface Editor {
  text: () => string;
  setText: (text: string) => void;
  // Marks where the server's message says that the fault is.
  showError: (message: string | undefined) => void;
  focus: () => void;
  destroy: () => void;
}

export interface EditorEvents {
  db: () => string;
  onText: (text: string) => void;
  onRun: () => void;
  // Older and newer texts, for arrow keys in an editor of one line.
  onHistory: (by: number) => string | undefined;
}

const colors = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--info)" },
  { tag: [tags.function(tags.variableName), tags.operatorKeyword], color: "var(--info)" },
  { tag: tags.string, color: "var(--good)" },
  { tag: tags.number, color: "var(--warn)" },
  { tag: tags.labelName, color: "var(--accent)" },
  { tag: tags.comment, color: "var(--dim)" },
  { tag: tags.invalid, color: "var(--bad)" },
]);

const look = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--panel)", border: "1px solid var(--line-strong)", borderRadius: "6px", fontSize: "13.5px" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "0" },
  ".cm-content": { fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace', caretColor: "var(--ink)", padding: "7px 2px" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--accent) 30%, transparent) !important" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", border: "1px solid var(--line-strong)", borderRadius: "6px", color: "var(--ink)" },
  ".cm-tooltip-autocomplete > ul > li": { padding: "2px 8px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--track-strong)", color: "var(--ink)" },
  ".cm-completionDetail": { color: "var(--dim)", marginLeft: "10px" },
  ".cm-placeholder": { color: "var(--dim)" },
  ".cm-matchingBracket": { backgroundColor: "var(--track) !important", outline: "1px solid var(--line-strong)" },
});

export function makeEditor(home: HTMLElement, text: string, label: string, events: EditorEvents): Editor {
  const root = home.shadowRoot ?? home.attachShadow({ mode: "open" });
  const promql = new PromQLExtension().setComplete({ remote: new DatabaseClient(events.db) });
  const replace = (next: string) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next }, selection: { anchor: next.length } });
  const through = (by: number) => () => {
    if (view.state.doc.lines > 1) return false;
    const next = events.onHistory(by);
    if (next === undefined) return false;
    replace(next);
    return true;
  };
  const run = () => {
    events.onRun();
    return true;
  };
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        Prec.highest(keymap.of([{ key: "Mod-Enter", run }])),
        // Enter runs, unless a completion is open, whose keys come first.
        Prec.high(keymap.of(completionKeymap)),
        keymap.of([{ key: "Enter", run, shift: () => false }, { key: "Alt-ArrowUp", run: through(-1) }, { key: "Alt-ArrowDown", run: through(1) }]),
        keymap.of([...closeBracketsKeymap, ...historyKeymap, ...lintKeymap, ...defaultKeymap]),
        history(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        autocompletion({ maxRenderedOptions: 100, activateOnTyping: true }),
        syntaxHighlighting(colors),
        EditorView.lineWrapping,
        look,
        placeholder("PromQL; Enter runs it, Shift and Enter begins a line"),
        EditorView.contentAttributes.of({ "aria-label": label }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) events.onText(update.state.doc.toString());
        }),
        EditorView.domEventHandlers({
          // Typing over a selection: the browser would keep its looks in an inline style, which the policy refuses.
          beforeinput: (event, current) => {
            if (event.inputType !== "insertText" || event.data === null || current.state.selection.main.empty) return false;
            current.dispatch(current.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
            event.preventDefault();
            return true;
          },
        }),
        promql.asExtension(),
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    setText: (next) => {
      if (next !== view.state.doc.toString()) replace(next);
    },
    showError: (message) => {
      const place = message === undefined ? undefined : placeOf(message, view.state.doc.toString());
      view.dispatch(setDiagnostics(view.state, place && message !== undefined ? [{ ...place, severity: "error", message }] : []));
    },
    focus: () => view.focus(),
    destroy: () => {
      promql.destroy();
      view.destroy();
    },
  };
}
