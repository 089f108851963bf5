import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { registryVariables } from './package-registry.ts';

const SUITE = 'bookworm';

/** Whose command it is, and where in the root it runs. */
export interface Place {
  /** `user:group`, as names or numbers. */
  readonly user: string;
  readonly workdir: string;
}

/** A Debian in a folder, whose programs run by `chroot`; needs root on Linux, and debootstrap for the first. */
export class DebianRoot {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** The smallest Debian that there is, with certificates, from the source of packages that the machine itself uses. */
  static install(path: string): DebianRoot {
    succeed('debootstrap', ['--variant=minbase', '--include=ca-certificates', SUITE, path, mirror()], process.env);
    return new DebianRoot(path);
  }

  /** Another one with the same files, with `/proc` and `/dev` of the machine; `unmount` it before it is removed. */
  copy(path: string): DebianRoot {
    succeed('cp', ['-a', this.path, path], process.env);
    for (const name of ['proc', 'dev']) succeed('mount', ['--bind', join('/', name), join(path, name)], process.env);
    return new DebianRoot(path);
  }

  /** Puts Node and npm 11 of their packages on npm where an image of Docker has them; `packages` is a scratch folder. */
  addNode(version: string, packages: string): void {
    succeed('npm', ['install', '--silent', '--prefix', packages, `node@${version}`, 'npm@11'], {
      ...registryVariables(),
      NODE_OPTIONS: '',
    });
    const [lib, bin] = [join(this.path, 'usr/local/lib/node_modules'), join(this.path, 'usr/local/bin')];
    mkdirSync(lib, { recursive: true });
    cpSync(join(packages, 'node_modules/node/bin/node'), join(bin, 'node'));
    cpSync(join(packages, 'node_modules/npm'), join(lib, 'npm'), { recursive: true });
    for (const name of ['npm', 'npx']) {
      succeed('ln', ['-s', `../lib/node_modules/npm/bin/${name}-cli.js`, join(bin, name)], process.env);
      succeed('chmod', ['755', join(lib, `npm/bin/${name}-cli.js`)], process.env);
    }
  }

  /** The command line that runs `command` in this root; what this machine needs to reach its package registry goes along. */
  inside(command: readonly string[], { user, workdir }: Place): string[] {
    for (const file of ['/etc/resolv.conf', '/etc/hosts', process.env['NODE_EXTRA_CA_CERTS']]) {
      if (file === undefined || !existsSync(file)) continue;
      mkdirSync(dirname(join(this.path, file)), { recursive: true });
      cpSync(file, join(this.path, file), { dereference: true });
    }
    return ['chroot', `--userspec=${user}`, this.path, '/usr/bin/env', '-C', workdir, ...command];
  }

  /** Runs a command in this root to its end. What it says goes to this program's own streams. */
  run(command: readonly string[], place: Place & { readonly env: Readonly<Record<string, string>> }): void {
    const [file = '', ...args] = this.inside(command, place);
    succeed(file, args, { ...registryVariables(), ...place.env });
  }

  unmount(): void {
    for (const name of ['proc', 'dev']) spawnSync('umount', ['-l', join(this.path, name)]);
  }
}

function mirror(): string {
  const listed = spawnSync('apt-get', ['indextargets', '--format', '$(REPO_URI)'], { encoding: 'utf8' }).stdout;
  return listed.split('\n')[0] ?? 'http://deb.debian.org/debian';
}

function succeed(command: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  const { status } = spawnSync(command, args, { stdio: 'inherit', env });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`);
}
