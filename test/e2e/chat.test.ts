import { startChat, startEdge } from '@trunkline/testing';
import type { StartedChat, StartedEdge } from '@trunkline/testing';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, startBrowser } from './browser.ts';
import { ChatPage, DESKTOP, PHONE } from './chat-page.ts';

/** From the loss of an app server to talking again: its start, and the page's last retry delay. */
const RECOVERY = 30_000;

describe.skipIf(CHROMIUM === undefined)('the chat page (needs chromium on the PATH)', () => {
  let edge: StartedEdge;
  let chat: StartedChat;
  let browser: Browser;
  let pages: ChatPage[] = [];

  beforeAll(async () => {
    [edge, browser] = await Promise.all([
      startEdge({ args: ['--server-wait', '1'] }),
      startBrowser(),
    ]);
    chat = await startChat({ edgeUrl: edge.url });
  });

  afterEach(async () => {
    const errors = pages.flatMap((page) => page.errors);
    await Promise.all(pages.map((page) => page.close()));
    pages = [];
    if (errors.length > 0) throw new AggregateError(errors, `a page threw ${errors.join(', ')}`);
  });

  afterAll(async () => {
    await browser?.close();
    await chat?.stop();
    await edge?.stop();
  });

  async function visit(
    room: string,
    name: string,
    device?: BrowserContextOptions,
  ): Promise<ChatPage> {
    const page = await ChatPage.open(browser, {
      url: chat.url,
      room,
      name,
      ...(device && { device }),
    });
    pages.push(page);
    return page;
  }

  it('lets two people talk, and tells one that the other is typing and has left', async () => {
    const ada = await visit('talk', 'Ada');
    await ada.say('Anybody here?');
    const grace = await visit('talk', 'Grace');
    await grace.sees(grace.message('Ada', 'Anybody here?'));
    await ada.sees(ada.note('Grace joined'));
    await ada.sees(ada.headline('2 people here'));

    await grace.page.getByLabel('Message', { exact: true }).pressSequentially('N');
    await ada.sees(ada.page.getByText('Grace is typing…'));
    await grace.say('Nobody but me');
    await ada.sees(ada.message('Grace', 'Nobody but me'));

    await grace.close();
    await ada.sees(ada.note('Grace left'));
    await ada.sees(ada.headline('Only you are here'));
    expect(await ada.texts()).toEqual(['Anybody here?', 'Nobody but me']);
  });

  it('shows what people write as they wrote it', async () => {
    const ada = await visit('markup', 'Ada');
    const grace = await visit('markup', '<i>Grace</i>');
    const text = '<img src=x onerror="document.title=1"> & <b>bold</b>';
    await grace.say(text);
    await ada.sees(ada.message('<i>Grace</i>', text));
    expect(await ada.page.locator('#log img, #log i').count()).toBe(0);
  });

  it('changes rooms and names without a new connection', async () => {
    const ada = await visit('first', 'Ada');
    const grace = await visit('first', 'Grace');
    const before = await ada.connectionId();
    await ada.page.getByLabel('Your name').fill('Countess');
    await ada.page.getByLabel('Your name').press('Enter');
    await grace.sees(grace.note('Countess joined'));

    await ada.page.getByLabel('New room').fill('second');
    await ada.page.getByLabel('New room').press('Enter');
    await grace.sees(grace.note('Countess left'));
    await ada.sees(ada.headline('Only you are here'));
    expect(new URL(ada.page.url()).search).toBe('?room=second');
    await grace.page.getByRole('link', { name: 'second' }).click();
    await ada.sees(ada.note('Grace joined'));

    await ada.page.goBack();
    await grace.sees(grace.note('Countess left'));
    expect(await ada.connectionId()).toBe(before);
  });

  it('shows how it is connected', async () => {
    const ada = await visit('line', 'Ada');
    await ada.sees(ada.state('Connected'));
    await ada.sees(ada.page.locator('#round-trip', { hasText: /^\d+(\.\d)? ms$/ }));
    expect(await ada.transport()).toBe('WebSockets');
    expect(await ada.connectionId()).toMatch(/^[\w-]{20}$/);
  });

  it('looks well on a desk and on a phone, by day and by night', async () => {
    const ada = await visit('lobby', 'Ada Lovelace', DESKTOP);
    const grace = await visit('lobby', 'Grace Hopper', { ...DESKTOP, colorScheme: 'dark' });
    const otter = await visit('lobby', 'Brisk Otter', PHONE);
    const heron = await visit('lobby', 'Quiet Heron', { ...PHONE, colorScheme: 'dark' });
    await ada.say('Morning! Is the new edge up?');
    await grace.say('It is. I drained the old one ten minutes ago.');
    await grace.say('Not one reconnect on the dashboard.');
    await otter.say('I was on a train the whole time and kept typing.\nDid not notice a thing.');
    await heron.say('Then it works.');
    await Promise.all(pages.map((page) => page.sees(page.page.getByText('Then it works.'))));
    await ada.screenshot('desk-day');
    await grace.screenshot('desk-night');
    await otter.screenshot('phone-day');
    await heron.screenshot('phone-night');
    await heron.page.getByRole('button', { name: 'Rooms and people' }).click();
    await heron.sees(heron.page.getByLabel('Your name'));
    await heron.screenshot('phone-menu');
    // Nothing is wider than its screen; a phone would make the page wider, so ask for both widths.
    for (const { page } of pages) {
      const widths = await page.evaluate('[document.documentElement.scrollWidth, innerWidth]');
      const { width } = page.viewportSize()!;
      expect(widths).toEqual([width, width]);
    }
  });

  it('talks again by itself after the app server was killed and started anew', async () => {
    const ada = await visit('phoenix', 'Ada');
    const grace = await visit('phoenix', 'Grace');
    await ada.say('Before');
    chat.child.kill('SIGKILL');
    await chat.exited;
    await ada.sees(ada.state('Reconnecting…'));
    await ada.screenshot('reconnecting');

    chat = await startChat({ edgeUrl: edge.url, port: Number(new URL(chat.url).port) });
    await Promise.all([ada, grace].map((page) => page.sees(page.state('Connected'), RECOVERY)));
    await Promise.all([ada, grace].map((page) => page.sees(page.headline('2 people'), RECOVERY)));
    await ada.say('After');
    await grace.sees(grace.message('Ada', 'After'));
    expect(await ada.texts()).toEqual(['Before', 'After']);
    expect(await grace.texts()).toEqual(['Before', 'After']);
  }, 60_000);
});
