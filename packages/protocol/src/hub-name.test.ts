import { expect, test } from 'vitest';
import { HUB_NAME } from './hub-name.ts';

test.each(['chat', 'C', 'app_chat', 'Chat2', 'Chat`1[[A.B,C]]', 'x'.repeat(128)])(
  '%s is the name of a hub',
  (name) => expect(name).toMatch(HUB_NAME),
);

test.each(['', '1chat', '_chat', ' chat', 'chat ', 'a/b', 'a-b', 'café', 'x'.repeat(129)])(
  '%j is none',
  (name) => expect(name).not.toMatch(HUB_NAME),
);
