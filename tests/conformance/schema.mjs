// The official JSON schema of Open Badges 3.0.
import Ajv from 'ajv/dist/2019.js';
import addFormats from 'ajv-formats';

let validate;

export async function judge(text, network) {
  if (validate === undefined) {
    const ajv = new Ajv({allErrors: true, strict: false});
    addFormats(ajv);
    const [entry] = JSON.parse(text).credentialSchema;
    validate = ajv.compile(network.get(entry.id));
  }
  const accepted = validate(JSON.parse(text));
  return {accepted, revoked: false, reason: accepted ? '' : ajvErrors()};
}

function ajvErrors() {
  return (validate.errors ?? []).map(({instancePath, message}) => `${instancePath} ${message}`).join('; ');
}
