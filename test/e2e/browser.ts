import { findProgram } from '@trunkline/foundation';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

/** The path of the machine's Chromium, if it has one. */
export const CHROMIUM = findProgram('chromium', 'chromium-browser', 'google-chrome');

/** Starts Chromium without a window and with a temporary profile, asking nothing of the network. */
export function startBrowser(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error('there is no chromium on the PATH');
  return chromium.launch({
    executablePath: CHROMIUM,
    timeout: 15_000,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
