// The sign-in: over the page as it is, so that nothing that a reader had open is lost when a session ends. Who signs out, or
// signs in as somebody else, gets a new page: what is there was not for him.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError } from "../api";
import { refreshNow } from "./state";

export function SignIn() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [token, setToken] = useState("");
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => { dialog.current?.showModal(); }, []);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      if (await api.signIn(token.trim())) location.reload();
      else refreshNow();
    } catch (error) {
      setFault(error instanceof ApiError ? error.message : String(error));
      setBusy(false);
    }
  };
  const before = api.session.shown.value;
  return (
    <dialog ref={dialog} class="help sign-in" aria-label="Sign in" onCancel={(event) => event.preventDefault()}>
      <h2>Sign in</h2>
      {before !== undefined && <p class="note">The session of {before} has ended.</p>}
      <form onSubmit={submit}>
        <label>
          Token
          {/* Not kept by the browser's own form memory; a password manager may. */}
          <input type="password" name="token" autocomplete="current-password" value={token} required autoFocus
            aria-invalid={fault !== ""} aria-describedby="sign-in-fault"
            onInput={(event) => { setToken(event.currentTarget.value); setFault(""); }} />
        </label>
        <p id="sign-in-fault" class="is-bad" role="alert">{fault}</p>
        <button type="submit" disabled={busy || token.trim() === ""}>{busy ? "Signing in …" : "Sign in"}</button>
      </form>
      <p class="note">Who runs this server makes one: <code>tidemark admin token new NAME --grant 'read:*'</code></p>
    </dialog>
  );
}

// In the footer: who is signed in. Nothing where the server asks nobody.
export function SignedIn() {
  const who = api.session.who.value;
  if (!who?.csrf) return null;
  return <> Signed in as {who.name}. <button class="link" onClick={() => { void api.signOut().then(() => { location.reload(); }); }}>Sign out</button></>;
}
