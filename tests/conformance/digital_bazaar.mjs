// The reference implementation of Data Integrity proofs and status lists, by Digital Bazaar.
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {checkStatus} from '@digitalbazaar/vc-bitstring-status-list';
import {verifyCredential} from '@digitalbazaar/vc';

const MULTIKEY = 'https://w3id.org/security/multikey/v1';

export async function judge(text, network) {
  const documentLoader = async url => ({contextUrl: null, documentUrl: url, document: find(url, network)});
  const suite = new DataIntegrityProof({cryptosuite});
  const result = await verifyCredential({credential: JSON.parse(text), suite, documentLoader, checkStatus});
  // It answers that a revoked badge is verified, too, and tells here that it is revoked.
  const revoked = (result.statusResult?.results ?? []).some(({status}) => status);
  const errors = result.error?.errors ?? (result.error ? [result.error] : []);
  return {accepted: result.verified && !revoked, revoked, reason: errors.map(String).join('; ')};
}

function find(url, network) {
  if (network.has(url)) {
    return network.get(url);
  }
  // A DID leads to a document, and its fragment to a key in it.
  const [did] = url.split('#');
  const document = network.get(addressOf(did));
  const found = did === url ? document : document?.verificationMethod.find(({id}) => id === url);
  if (found === undefined) {
    throw new Error(`not found: ${url}`);
  }
  return did === url ? found : {'@context': MULTIKEY, ...found};
}

function addressOf(did) {
  const [host, ...path] = did.replace(/^did:web:/, '').split(':').map(decodeURIComponent);
  return `https://${[host, ...(path.length ? path : ['.well-known']), 'did.json'].join('/')}`;
}
