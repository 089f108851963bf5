import { deflateRawSync, gzipSync } from 'node:zlib';
import type { HostileFile } from './hostile-file.ts';
import { bytes, zipOf } from './hostile-file.ts';

const hex = (text: string) => bytes(Buffer.from(text, 'hex'), Buffer.alloc(600, 7));
const tar = Buffer.alloc(1024);
tar.write('a.txt', 0);
tar.write('ustar', 257);

/** What people keep under a model's name and is none: pages, pictures, archives, models of other programs. */
const CONTENTS: Readonly<Record<string, Uint8Array>> = {
  empty: Buffer.alloc(0),
  'one-byte': Buffer.of(0x80),
  'page-html': bytes('<!DOCTYPE html><html><head><title>404</title></head></html>'),
  'page-html-late': bytes('\n\n   <html lang=en>'),
  'page-xml': bytes('<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>'),
  'page-json': bytes('{"message":"Not Found"}'),
  'lfs-pointer': bytes('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 67040989\n'),
  text: bytes('Rate limit exceeded\n'),
  'text-utf16': Buffer.from('\ufeffnot a model', 'utf16le'),
  'text-escape': bytes('\u001b[2J\u001b]0;owned\u0007'),
  passwd: bytes('root:x:0:0:root:/root:/bin/sh\n'),
  'python-source': bytes('import os\nos.system("touch canary")\n'),
  'shell-script': bytes('#!/bin/sh\ntouch canary\n'),
  zeros: Buffer.alloc(70_000),
  ones: Buffer.alloc(70_000, 255),
  noise: Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919 + (i >> 3)) & 255)),
  png: hex('89504e470d0a1a0a'),
  jpeg: hex('ffd8ffe000104a464946'),
  gif: bytes('GIF89a', Buffer.alloc(100)),
  webp: bytes('RIFF\u0000\u0000\u0000\u0000WEBPVP8 '),
  pdf: bytes('%PDF-1.7\n%\u00e2\u00e3'),
  exe: bytes('MZ\u0090\u0000\u0003', Buffer.alloc(100)),
  elf: hex('7f454c460201'),
  gzip: gzipSync('a model'),
  'gzip-bomb': gzipSync(Buffer.alloc(20 << 20)),
  xz: hex('fd377a585a00'),
  zstd: hex('28b52ffd'),
  bzip2: bytes('BZh91AY&SY', Buffer.alloc(50)),
  '7z': hex('377abcaf271c0004'),
  rar: bytes('Rar!\u001a\u0007\u0001\u0000', Buffer.alloc(60)),
  tar,
  hdf5: hex('894844460d0a1a0a'),
  gguf: bytes('GGUF\u0003\u0000\u0000\u0000', Buffer.alloc(40)),
  onnx: bytes('\u0008\u0007\u0012\u0007pytorch\u001a\u00052.1.0'),
  'onnx-bare': bytes('\u0008\u0008:\u0080\u0001', Buffer.alloc(90)),
  'ncnn-param': bytes('7767517\n2 2\nInput data 0 1 data\n'),
  'ncnn-bin': hex('476b3001'),
  tensorrt: bytes('ftrt', Buffer.alloc(64)),
  tflite: bytes('\u001c\u0000\u0000\u0000TFL3', Buffer.alloc(64)),
  'openvino-xml': bytes('<?xml version="1.0"?>\n<net name="x" version="11"></net>'),
  appledouble: hex('0005160700020000'),
  numpy: bytes('\u0093NUMPY\u0001\u0000', Buffer.alloc(120)),
  npz: zipOf([['w.npy', bytes('\u0093NUMPY')]]),
  'release-zip': zipOf([['x/4x_foo.pth', Buffer.alloc(9)]]),
  'ncnn-zip': zipOf([['x4.param', bytes('7767517\n')]]),
  'office-zip': zipOf([['[Content_Types].xml', bytes('<x/>')]]),
  'empty-zip': bytes('PK\u0005\u0006', Buffer.alloc(18)),
  'deflated-stream': deflateRawSync(Buffer.alloc(1 << 20)),
  'pickle-of-python': bytes('\u0080\u0004\u0095\u0010\u0000\u0000\u0000\u0000\u0000\u0000\u0000}\u0094.'),
  'pickle-of-protocol-0': bytes("(dp0\nS'a'\np1\nI1\ns."),
};

export const FOREIGN_FILES: readonly HostileFile[] = Object.entries(CONTENTS).map(([name, contents]) => ({
  name: `foreign-${name}.pth`,
  bytes: contents,
}));
