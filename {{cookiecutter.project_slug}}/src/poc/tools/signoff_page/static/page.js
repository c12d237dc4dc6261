// The sign-off page: shows the statement that the server prepared, has a passkey sign it, and says what came of it.
"use strict";

const said = (name) => document.querySelector(`meta[name="${name}"]`).content;
const find = (id) => document.getElementById(id);
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function post(path, body) {
  const reply = await fetch(`${said("prefix")}/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Poc-Token": said("token") },
    body: JSON.stringify(body),
  });
  const answer = await reply.json();
  if (!reply.ok) {
    throw new Error(answer.error);
  }
  return answer;
}

function tell(words, kind) {
  const answer = find("answer");
  answer.textContent = words;
  answer.className = kind;
  answer.hidden = false;
  answer.scrollIntoView({ block: "nearest" });
}

const WHY = {
  NotAllowedError: "The passkey was not used: cancelled, out of time, or there is none for this site on this device.",
  NotSupportedError: "This device makes no passkey of the kind that is verified here (ES256): try a telephone or a security key.",
  SecurityError: "Passkeys do not work at this address.",
};

// Runs a step while its button rests; whatever goes wrong is said on the page.
async function step(button, work) {
  button.disabled = true;
  find("answer").hidden = true;
  try {
    await work();
  } catch (error) {
    tell(WHY[error.name] || error.message, "refused");
  } finally {
    button.disabled = false;
  }
}

// A telephone's own list of choices shows hidden options too, so they are taken out.
function offerSignersOf(stage, select, everybody) {
  select.replaceChildren(...everybody.filter((option) => option.dataset.stage === stage));
  select.selectedIndex = 0;
}

function list(pairs, target) {
  target.replaceChildren(...pairs.flatMap(([name, value]) => {
    const term = document.createElement("dt");
    const words = document.createElement("dd");
    term.textContent = name;
    words.textContent = value;
    return [term, words];
  }));
}

function signing(form) {
  let prepared = null;
  const signer = form.elements.signer;
  const everybody = [...signer.options];
  const offer = () => offerSignersOf(form.elements.stage.value, signer, everybody);
  form.elements.stage.addEventListener("change", offer);
  offer();

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    step(event.submitter || form.querySelector("button"), async () => {
      const chosen = signer.selectedOptions[0].dataset;
      prepared = await post("prepare", {
        project: form.dataset.project,
        stage: form.elements.stage.value,
        version: form.dataset.version,
        signer: signer.value,
        role: chosen.role,
        on_behalf_of: chosen.for,
        decision: form.elements.decision.value,
        reason: form.elements.reason.value,
      });
      list(prepared.words, find("statement"));
      find("bytes").textContent = prepared.statement;
      form.hidden = true;
      find("confirm").hidden = false;
      find("confirm").scrollIntoView({ block: "start" });
      find("sign").focus({ preventScroll: true });
    });
  });

  const back = () => {
    find("confirm").hidden = true;
    form.hidden = false;
  };
  find("back").addEventListener("click", back);
  find("sign").addEventListener("click", () => step(find("sign"), async () => {
    const given = await navigator.credentials.get({
      publicKey: { rpId: prepared.site, challenge: bytes(prepared.challenge), userVerification: "required", allowCredentials: [], timeout: 300000 },
    });
    const answer = given.response;
    try {
      const done = await post("sign", {
        name: prepared.name,
        authenticator_data: text(answer.authenticatorData),
        client_data: text(answer.clientDataJSON),
        signature: text(answer.signature),
      });
      find("confirm").hidden = true;
      tell(done.words, "done");
    } catch (error) {
      back(); // what was prepared is used up
      throw error;
    }
  }));
}

function enrolling(form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    step(form.querySelector("button"), async () => {
      const asked = await post("enrol/prepare", { email: form.elements.email.value });
      const made = await navigator.credentials.create({
        publicKey: {
          rp: { id: asked.site, name: asked.site_name },
          user: { id: bytes(asked.user), name: asked.email, displayName: asked.display_name },
          challenge: bytes(asked.challenge),
          pubKeyCredParams: [{ type: "public-key", alg: -7 }],
          authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
          attestation: "none",
          timeout: 300000,
        },
      });
      const proposed = await post("enrol", {
        name: asked.name,
        authenticator_data: text(made.response.getAuthenticatorData()),
        client_data: text(made.response.clientDataJSON),
        public_key: text(made.response.getPublicKey()),
      });
      form.hidden = true;
      find("where").textContent = proposed.words;
      find("line").textContent = proposed.line;
      find("fingerprint").textContent = proposed.fingerprint;
      find("proposal").hidden = false;
    });
  });
}

if (find("choice")) {
  signing(find("choice"));
}
if (find("enrol")) {
  enrolling(find("enrol"));
}
