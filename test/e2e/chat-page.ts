import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';

export const DESKTOP = { viewport: { width: 1280, height: 800 } };
export const PHONE = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
};

export interface Visitor {
  url: string;
  room: string;
  name: string;
  device?: BrowserContextOptions;
  /** Which transport the page is told to use; it chooses when not given. */
  transport?: 'WebSockets' | 'ServerSentEvents' | 'LongPolling';
}

/** The chat page in a browser profile of its own, as its user sees it. */
export class ChatPage {
  readonly page: Page;
  /** What the page's scripts threw and did not catch. */
  readonly errors: Error[] = [];

  constructor(page: Page) {
    this.page = page;
    page.setDefaultTimeout(10_000);
    page.on('pageerror', (error) => this.errors.push(error));
  }

  /** Opens the page, gives the name, and waits until the room has taken it. */
  static async open(browser: Browser, visitor: Visitor): Promise<ChatPage> {
    const { url, room, name, device, transport } = visitor;
    const query = new URLSearchParams({ room, ...(transport && { transport }) });
    const context = await browser.newContext(device ?? DESKTOP);
    await context.addInitScript((own) => {
      localStorage.setItem('trunkline-chat-name', own);
    }, name);
    const chat = new ChatPage(await context.newPage());
    await chat.page.goto(`${url}/?${query.toString()}`);
    await chat.sees(chat.headline('here'));
    return chat;
  }

  /** Says something and waits until the hub has it. */
  async say(text: string): Promise<void> {
    await this.page.getByLabel('Message', { exact: true }).fill(text);
    await this.page.getByRole('button', { name: 'Send' }).click();
    await this.sees(this.page.locator('.mine:not(.pending)', { hasText: text }));
  }

  async sees(locator: Locator, timeout = 10_000): Promise<void> {
    await locator.first().waitFor({ state: 'visible', timeout });
  }

  /** The message, said by somebody of that name. */
  message(name: string, text: string): Locator {
    return this.page
      .locator('.message', { has: this.page.locator('b', { hasText: name }) })
      .locator('.text', { hasText: text });
  }

  /** What has been said, as the log shows it. */
  texts(): Promise<string[]> {
    return this.page.locator('.message .text').allInnerTexts();
  }

  note(text: string): Locator {
    return this.page.locator('.note', { hasText: text });
  }

  state(text: string): Locator {
    return this.page.getByRole('status').filter({ hasText: text });
  }

  /** The line under the room's name, which says how many are here. */
  headline(text: string): Locator {
    return this.page.locator('#who', { hasText: text });
  }

  transport(): Promise<string> {
    return this.page.locator('#transport').innerText();
  }

  connectionId(): Promise<string> {
    return this.page.locator('#connection-id').innerText();
  }

  /** Writes `test-results/chat-<name>.png`, for people to look at. */
  async screenshot(name: string): Promise<void> {
    const path = new URL(`../../test-results/chat-${name}.png`, import.meta.url);
    await this.page.screenshot({ path: fileURLToPath(path), animations: 'disabled' });
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}
