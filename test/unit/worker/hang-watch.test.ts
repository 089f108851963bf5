import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { afterEach, describe, expect, it } from '@jest/globals';
import { HangWatch } from '../../../app/worker/hang-watch.ts';

describe('the watch over workers that hang', () => {
  const children: ChildProcess[] = [];
  const watches: HangWatch[] = [];
  const start = (...command: [string, ...string[]]): number => {
    const child = spawn(command[0], command.slice(1), { stdio: 'ignore' });
    children.push(child);
    return child.pid ?? 0;
  };
  const hang = (pid: number, silenceMs: number, onWatch?: (watch: HangWatch) => void): Promise<void> =>
    new Promise((resolve) => {
      const watch = new HangWatch(pid, { intervalMs: 20, silenceMs }, resolve);
      watches.push(watch);
      onWatch?.(watch);
    });

  afterEach(() => {
    for (const watch of watches.splice(0)) watch.stop();
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  it('tells one that says nothing and does nothing from one that works', async () => {
    const idle = hang(start('sleep', '60'), 1000);
    const working = hang(start(process.execPath, '-e', 'for (;;);'), 500).then(() => 'taken for hung');
    expect(await Promise.race([idle.then(() => 'idle'), working])).toBe('idle');
  });

  it('takes a word for a sign of life', async () => {
    const pid = start('sleep', '60');
    let talk: NodeJS.Timeout | undefined;
    const talking = hang(pid, 500, (watch) => {
      talk = setInterval(() => watch.sign(), 50);
    }).then(() => 'talking');
    expect(await Promise.race([talking, hang(pid, 1000).then(() => 'silent')])).toBe('silent');
    clearInterval(talk);
  });

  it('leaves processes alone whose times it cannot read', async () => {
    const unknown = hang(0, 200).then(() => 'unknown');
    expect(await Promise.race([unknown, hang(start('sleep', '60'), 500).then(() => 'known')])).toBe('known');
  });
});
