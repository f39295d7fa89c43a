// The verifier of the Digital Credentials Consortium, which Learner Credential Wallet and VerifierPlus use. It resolves
// did:web, fetches the status list and the schema by itself.
import {verifyCredential} from '@digitalcredentials/verifier-core';

const WANTED = ['valid_signature', 'expiration'];

export async function judge(text) {
  const credential = JSON.parse(text);
  const result = await verifyCredential({credential, knownDIDRegistries: []});
  const log = result.log ?? [];
  const step = id => log.find(entry => entry.id === id);
  const status = step('revocation_status');
  const schema = (result.additionalInformation ?? []).find(({id}) => id === 'schema_check');
  const schemaFits = schema?.results?.every(entry => entry.result.valid) ?? false;
  const revoked = 'credentialStatus' in credential && status?.valid === false && !status.error;
  const accepted = !(result.errors?.length) && WANTED.every(id => step(id)?.valid) && schemaFits
    && (!('credentialStatus' in credential) || status?.valid === true);
  return {accepted, revoked, reason: accepted ? '' : JSON.stringify([result.errors, log, result.additionalInformation])};
}
