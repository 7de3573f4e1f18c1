import type { Browser, Page } from 'playwright-core';

/** Blazor's own pauses between its tries to reconnect, on a busy machine. */
const DEADLINE_MS = 60_000;

/** Blazor's own dialog, and when it was last shown, in milliseconds since 1970; 0 before. */
const WATCH = `
  window.dialogShownAt = 0;
  new MutationObserver(() => {
    const dialog = document.getElementById('components-reconnect-modal');
    if (dialog !== null && window.dialogShownAt === 0) window.dialogShownAt = Date.now();
  }).observe(document.documentElement, { childList: true, subtree: true });
`;

/**
 * Opens the counter as often as told, each in a page of its own, and waits for all circuits. They are
 * tabs of one window: a window for each would keep a machine's cores busy with nothing but windows.
 */
export async function openPages(browser: Browser, url: string, count: number): Promise<Page[]> {
  const window = await browser.newContext();
  const open = async (): Promise<Page> => {
    const page = await window.newPage();
    page.setDefaultTimeout(DEADLINE_MS);
    await page.goto(url);
    await interactive(page);
    await page.evaluate(WATCH);
    return page;
  };
  return Promise.all(Array.from({ length: count }, open));
}

/** Waits until all pages have loaded themselves anew, since a new process knows no old circuit. */
export async function backAgain(pages: readonly Page[]): Promise<void> {
  await Promise.all(
    pages.map(async (page) => {
      await page.waitForFunction('window.dialogShownAt === undefined');
      await interactive(page);
    }),
  );
}

/** Waits until the page's circuit has rendered it. */
async function interactive(page: Page): Promise<void> {
  await page.getByText('interactive', { exact: true }).waitFor();
}

/** How long after an instant each page told its user that it had lost its server, in milliseconds. */
export function dialogDelays(pages: readonly Page[], since: number): Promise<number[]> {
  return Promise.all(
    pages.map(async (page) => {
      await page.waitForFunction('window.dialogShownAt > 0');
      return (await page.evaluate<number>('window.dialogShownAt')) - since;
    }),
  );
}
