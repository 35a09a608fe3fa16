/** One message of each kind, as it travels. */
const hash = (digit: string) => `0x${digit.repeat(64)}`;
const address = (digit: string) => `0x${digit.repeat(40)}`;
const signature = `0x${"1".repeat(128)}1b`;

const OFFER = {
  adapterId: hash("1"),
  payout: address("2"),
  token: address("0"),
  pricePerToken: "1000000000",
  openingFee: "7",
  maxUnpaidTokens: "1024",
  tokenCap: "8192",
  minDuration: "3600",
  closeWindow: "600",
  maxOpens: "100",
  nonce: "115792089237316195423570985008687907853269984665640564039457584007913129639935",
  expiry: "4294967296",
};

const RECEIPT = {
  agreementId: hash("a"),
  passes: "3",
  tokens: "9007199254740993",
  head: hash("b"),
  statementsHash: hash("c"),
};

export const RECEIPT_REQUEST = { receipt: RECEIPT, signature };

export const BUNDLE = {
  protocol: 1,
  chainId: "31337",
  escrow: address("e"),
  agreementId: RECEIPT.agreementId,
  vkHash: hash("3"),
  receipt: RECEIPT,
  signature,
  V: [
    ["1", "2"],
    ["3", "4"],
  ],
  claims: [{ group: 0, a: ["1", "2"], b: ["1", "2", "3", "4"], c: ["1", "2"] }],
};

/** By the name of its schema in runner/wire. */
export const MESSAGES: Record<string, unknown> = {
  serviceSchema: {
    protocol: 1,
    chainId: "31337",
    registry: address("1"),
    escrow: address("e"),
    adapters: [
      {
        adapterId: OFFER.adapterId,
        manifestHash: hash("d"),
        offers: [{ offer: OFFER, signature }],
        record: {
          adapterId: OFFER.adapterId,
          url: "https://127.0.0.1:8443",
          tlsCertificate: hash("0"),
          expiry: "4294967296",
        },
        recordSignature: signature,
      },
    ],
  },
  livenessRequestSchema: { nonce: hash("9") },
  livenessSchema: { liveness: { adapterId: hash("1"), nonce: hash("9"), time: "1700000000" }, signature },
  challengeRequestSchema: { agreementId: hash("a"), clientNonce: hash("8") },
  challengeSchema: { serverNonce: hash("7") },
  sessionRequestSchema: {
    ...{ agreementId: hash("a"), clientNonce: hash("8"), serverNonce: hash("7") },
    signature,
  },
  receiptRequestSchema: RECEIPT_REQUEST,
  bundleSchema: BUNDLE,
  errorSchema: { error: { code: "wire/malformed", message: "not JSON", field: "body", hint: "send JSON" } },
  openingSchema: {
    protocol: 1,
    chainId: "31337",
    escrow: address("e"),
    buyer: address("b"),
    agreementId: hash("a"),
    offer: OFFER,
    offerSignature: signature,
    signer: address("5"),
    amount: "100000",
    deadline: "1800000000",
    nonce: "1",
  },
  sessionSchema: {
    token: "f".repeat(64),
    expiresAt: 1_800_000_000,
    session: {
      agreementId: hash("a"),
      ...{ passes: 3, tokens: 9, head: hash("b"), receipt: { passes: 2, tokens: 8 } },
      openPass: { pass: 4, tokens: 1, modules: [0, 1] },
      ...{ phase: "serving", settlement: null },
    },
  },
  appConfigSchema: {
    ...{ chainId: 31337, rpcUrl: "http://127.0.0.1:8545", deployment: { protocol: 1 } },
    services: [{ adminUrl: "http://127.0.0.1:7421" }],
    explorerUrl: "https://example.org/tx",
  },
};
