import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Names of the PEM files that `makeCertificate` leaves. */
export const CERTIFICATE = { cert: 'cert.pem', key: 'key.pem' } as const;

/**
 * Makes a certificate for localhost and 127.0.0.1 in a folder, good for a day, and gives the PEM
 * text of the authority that vouches for it. Rejects where there is no openssl.
 */
export async function makeCertificate(folder: string): Promise<string> {
  const [ca, caKey] = [join(folder, 'ca.pem'), join(folder, 'ca-key.pem')];
  const [cert, key] = [join(folder, CERTIFICATE.cert), join(folder, CERTIFICATE.key)];
  await make(ca, caKey, ['/CN=Trunkline tests', '-addext', 'keyUsage=keyCertSign']);
  const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const signed = ['-addext', 'basicConstraints=critical,CA:FALSE', '-CA', ca, '-CAkey', caKey];
  await make(cert, key, ['/CN=localhost', ...names, ...signed]);
  return readFile(ca, 'utf8');
}

/** A new key, and a certificate for it. `details` begin with its subject. */
async function make(cert: string, key: string, details: readonly string[]): Promise<void> {
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', key, '-out', cert, '-days', '1'];
  await run('openssl', ['req', ...kind, ...files, '-subj', ...details]);
}
