// One judge, many badges: node judge.mjs NAME. On standard input, a line of JSON each: first what the judge would find
// on the network, {address: document}; then badges, as base64 of what somebody would send. For each badge a line comes
// back: {"accepted": bool, "revoked": bool, "reason": string}.
import {webcrypto} from 'node:crypto';
import {createInterface} from 'node:readline';

// Node.js 18, that of Debian 12, has it here only.
globalThis.crypto ??= webcrypto;

const decoder = new TextDecoder('utf-8', {fatal: true});
let network;

// Libraries that fetch by themselves find what was given, and nothing else.
globalThis.fetch = async request => {
  const found = network.get(typeof request === 'object' && 'url' in request ? request.url : String(request));
  return found === undefined
    ? new Response('', {status: 404})
    : new Response(JSON.stringify(found), {headers: {'content-type': 'application/json'}});
};

const {judge} = await import(`./${process.argv[2]}.mjs`);

for await (const line of createInterface({input: process.stdin, crlfDelay: Infinity})) {
  if (network === undefined) {
    network = new Map(Object.entries(JSON.parse(line)));
    continue;
  }
  let verdict;
  try {
    verdict = await judge(decoder.decode(Buffer.from(line, 'base64')), network);
  } catch (error) {
    verdict = {accepted: false, revoked: false, reason: String(error)};
  }
  process.stdout.write(JSON.stringify(verdict) + '\n');
}
