/**
 * A wallet for trying the page out on a local chain: announced as wallets are (EIP-6963), asking as wallets do, and signing
 * with the accounts the local node has unlocked for everybody. It holds no key and refuses any other chain.
 *
 * `window.deltapayDemoWallet`, when set before, changes it: `chainId` (hex) is the chain it is on at first, `account` the
 * index of the chosen account, `decide(method)` answers in place of a person, `"approve"` or `"reject"`.
 */
(() => {
  const LOCAL_CHAIN = 31337;
  const NAMES = ["Account 0", "Contributor", "Buyer", "Somebody else"];
  const KEPT = "deltapay:demo-wallet";
  const ASKS = new Set([
    "eth_requestAccounts",
    "wallet_requestPermissions",
    "wallet_switchEthereumChain",
    "wallet_addEthereumChain",
    "eth_sendTransaction",
    "eth_signTypedData_v4",
    "personal_sign",
  ]);

  const options = window.deltapayDemoWallet ?? {};
  const listeners = new Map();
  const kept = { account: options.account ?? 1, connected: false, ...readKept() };
  let chainId = options.chainId;
  let ready;

  function readKept() {
    try {
      return JSON.parse(window.localStorage.getItem(KEPT) ?? "{}");
    } catch {
      return {};
    }
  }

  function keep(change) {
    Object.assign(kept, change);
    window.localStorage.setItem(KEPT, JSON.stringify(kept));
  }

  /** An error as providers throw them (EIP-1193). */
  function failure(code, message, data) {
    return Object.assign(new Error(message), { code, ...(data === undefined ? {} : { data }) });
  }

  async function load() {
    const config = await (await fetch("/config.json", { cache: "no-store" })).json();
    if (config.chainId !== LOCAL_CHAIN) throw failure(4900, "the demo wallet is for a local chain only");
    chainId ??= `0x${config.chainId.toString(16)}`;
    const accounts = await rpc(config.rpcUrl, "eth_accounts", []);
    return { rpcUrl: config.rpcUrl, local: `0x${config.chainId.toString(16)}`, accounts };
  }

  /** Tried again by the next request when it failed: the node may be starting. */
  function loaded() {
    ready ??= load().catch((error) => {
      ready = undefined;
      throw error;
    });
    return ready;
  }

  async function rpc(url, method, params) {
    let response;
    try {
      response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
      });
    } catch {
      throw failure(4900, "the demo wallet cannot reach the local chain");
    }
    const { result, error } = await response.json();
    if (error !== undefined) throw failure(error.code, error.message, error.data);
    return result;
  }

  function emit(event, value) {
    for (const listener of listeners.get(event) ?? []) listener(value);
  }

  async function chosen() {
    const { accounts } = await loaded();
    return kept.connected ? [accounts[kept.account]] : [];
  }

  async function announceAccounts() {
    emit("accountsChanged", await chosen());
  }

  async function switchChain(wanted) {
    const { local } = await loaded();
    if (wanted !== local) throw failure(4902, "the demo wallet knows the local chain only");
    chainId = local;
    emit("chainChanged", chainId);
    return null;
  }

  async function signWithNode(method, params) {
    const { rpcUrl, local } = await loaded();
    const [mine] = await chosen();
    const from =
      method === "eth_sendTransaction" ? params[0].from : params[method === "personal_sign" ? 1 : 0];
    if (mine === undefined || from?.toLowerCase() !== mine.toLowerCase())
      throw failure(4100, "this account is not connected");
    if (chainId !== local) throw failure(4901, "the demo wallet is on another chain");
    return rpc(rpcUrl, method, params);
  }

  async function answer(method, params) {
    switch (method) {
      case "eth_accounts":
        return chosen();
      case "eth_chainId":
        await loaded();
        return chainId;
      case "eth_requestAccounts":
      case "wallet_requestPermissions": {
        keep({ connected: true });
        await announceAccounts();
        return method === "eth_requestAccounts" ? chosen() : [{ parentCapability: "eth_accounts" }];
      }
      case "wallet_revokePermissions":
        keep({ connected: false });
        await announceAccounts();
        return null;
      case "wallet_switchEthereumChain":
      case "wallet_addEthereumChain":
        return switchChain(params[0].chainId);
      case "eth_sendTransaction":
      case "eth_signTypedData_v4":
      case "personal_sign":
        return signWithNode(method, params);
      default:
        return rpc((await loaded()).rpcUrl, method, params);
    }
  }

  /** One question at a time, as wallets ask. */
  let asking = Promise.resolve();
  function approved(method, params) {
    const answered = asking.then(() => (options.decide ?? ask)(method, params));
    asking = answered.catch(() => {});
    return answered;
  }

  const provider = {
    async request({ method, params = [] }) {
      const known = method === "eth_requestAccounts" && kept.connected;
      if (ASKS.has(method) && !known && (await approved(method, params)) !== "approve")
        throw failure(4001, "User rejected the request.");
      return answer(method, params);
    },
    on(event, listener) {
      listeners.set(event, [...(listeners.get(event) ?? []), listener]);
      return provider;
    },
    removeListener(event, listener) {
      listeners.set(
        event,
        (listeners.get(event) ?? []).filter((one) => one !== listener),
      );
      return provider;
    },
  };

  const icon = `data:image/svg+xml,${encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#b45309"/><path d="M8 11h16v12H8z" fill="#fff"/></svg>',
  )}`;
  const detail = Object.freeze({
    info: Object.freeze({
      uuid: "5b2d7a5e-6a0f-4a3c-9a55-0d6f1f2f7a11",
      name: "Demo wallet (local chain)",
      icon,
      rdns: "localhost.deltapay.demo",
    }),
    provider,
  });
  const announce = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  window.addEventListener("eip6963:requestProvider", announce);
  announce();

  // ---- what a person sees of it

  function element(tag, properties = {}, children = []) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  /** Wei as ether, to the last digit. */
  function ether(wei) {
    const digits = wei.toString().padStart(19, "0");
    return `${digits.slice(0, -18)}.${digits.slice(-18)}`.replace(/\.?0+$/, "");
  }

  /** What is asked, in words and in full. */
  function described(method, params) {
    if (method === "eth_sendTransaction") {
      const [{ to, value = "0x0", data = "0x" }] = params;
      const bytes = (data.length - 2) / 2;
      return [
        `Send a transaction to ${to ?? "a new contract"} with ${ether(BigInt(value))} test ETH`,
        `${bytes} bytes of data: ${data}`,
      ];
    }
    if (method === "eth_signTypedData_v4") {
      const { primaryType, domain, message } = JSON.parse(params[1]);
      return [
        `Sign: ${primaryType} for ${domain.name} on chain ${domain.chainId}`,
        JSON.stringify({ domain, message }, null, 1),
      ];
    }
    if (method.startsWith("wallet_switch") || method.startsWith("wallet_add"))
      return ["Switch to the local chain", `chain ${Number(params[0].chainId)}`];
    if (method === "personal_sign") return ["Sign a text", String(params[0])];
    return ["Let this page see your account", NAMES[kept.account] ?? `Account ${kept.account}`];
  }

  /** Asks the person; resolves to "approve" or "reject". */
  function ask(method, params) {
    const [title, text] = described(method, params);
    const heading = element("h2", { id: "demo-wallet-title", textContent: title });
    const approve = element("button", {
      type: "button",
      textContent: "Approve",
      className: "demo-wallet-approve",
    });
    const reject = element("button", { type: "button", textContent: "Reject" });
    const dialog = element("dialog", { className: "demo-wallet-ask" }, [
      element("p", { className: "demo-wallet-label", textContent: "Demo wallet" }),
      heading,
      element("pre", { textContent: text, tabIndex: 0 }),
      element("div", {}, [reject, approve]),
    ]);
    dialog.setAttribute("aria-labelledby", heading.id);
    document.body.append(dialog);
    dialog.showModal();
    // A key pressed once too often must not say yes.
    reject.focus();
    return new Promise((resolve) => {
      const end = (decision) => () => {
        dialog.close();
        dialog.remove();
        resolve(decision);
      };
      approve.addEventListener("click", end("approve"));
      reject.addEventListener("click", end("reject"));
      dialog.addEventListener("cancel", end("reject"));
    });
  }

  /** The bar that says what this is, and lets one choose whose account to use. */
  async function showBar() {
    const select = element("select", { id: "demo-wallet-account" });
    const label = element("label", { htmlFor: select.id, textContent: "Account" });
    const bar = element("aside", { className: "demo-wallet-bar" }, [
      element("strong", { textContent: "DEMO WALLET" }),
      element("span", {
        textContent: "Public test accounts of a local chain. Never send them anything of value.",
      }),
      element("span", {}, [label, " ", select]),
    ]);
    bar.setAttribute("aria-label", "Demo wallet");
    document.body.append(bar);
    document.body.classList.add("demo-wallet");
    const { accounts } = await loaded();
    for (const [index, name] of NAMES.entries())
      select.append(
        element("option", { value: String(index), textContent: `${name} ${accounts[index].slice(0, 8)}…` }),
      );
    select.value = String(kept.account);
    select.addEventListener("change", async () => {
      keep({ account: Number(select.value) });
      await announceAccounts();
    });
  }

  if (options.decide === undefined) {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => showBar());
    else showBar();
  }
})();
