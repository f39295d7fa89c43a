// VC-JWT, verified by jose with the key that its "kid" leads to.
import {createLocalJWKSet, decodeProtectedHeader, jwtVerify} from 'jose';

export async function judge(text, network) {
  const {kid} = decodeProtectedHeader(text);
  const key = network.get(kid);
  const {payload} = await jwtVerify(text, createLocalJWKSet({keys: [key]}), {
    algorithms: ['ES256'],
    typ: 'JWT',
    requiredClaims: ['iss', 'jti', 'sub', 'nbf'],
  });
  const agrees = payload.iss === payload.issuer.id && payload.jti === payload.id
    && payload.sub === payload.credentialSubject.id
    && payload.nbf === seconds(payload.validFrom) && payload.exp === seconds(payload.validUntil);
  return {accepted: agrees, revoked: false, reason: agrees ? '' : 'claims and badge differ'};
}

function seconds(time) {
  return time === undefined ? undefined : Date.parse(time) / 1000;
}
