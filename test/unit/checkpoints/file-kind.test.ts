import { describe, expect, it } from '@jest/globals';
import { ByteFile } from '../../../app/checkpoints/byte-file.ts';
import { detectFormat } from '../../../app/checkpoints/file-kind.ts';
import { refusalOf } from './refusal.ts';
import { scratchFolder } from './scratch-folder.ts';

const scratch = scratchFolder();
const detect = (bytes: Uint8Array) => ByteFile.with(scratch.write('file', bytes), detectFormat);
const latin1 = (text: string) => Buffer.from(text, 'latin1');

describe('detectFormat', () => {
  it.each([
    ['a zip archive', 'PK\u0003\u0004', 'pth-zip'],
    ['a pickle', '\u0080\u0002\u008a\u000a', 'pth-legacy'],
    ['a header length and JSON', '\u0010\u0000\u0000\u0000\u0000\u0000\u0000\u0000{}', 'safetensors'],
    ['a header length that looks like a pickle', '\u0080\u0002\u0000\u0000\u0000\u0000\u0000\u0000{}', 'safetensors'],
    ['a header length that looks like text', '<x\u0000\u0000\u0000\u0000\u0000\u0000{}', 'safetensors'],
  ])('takes %s for what it is', (_name, text, format) => {
    expect(detect(latin1(text))).toBe(format);
  });

  it.each([
    ['nothing', '', 'empty', /empty/],
    ['a web page', '\n\n<!DOCTYPE html><html>', 'html', /web page/],
    ['an XML error', '<?xml version="1.0"?><Error/>', 'html', /web page/],
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid', 'git-lfs-pointer', /git lfs pull/],
    ['a text', 'Not Found\n', 'not-a-checkpoint', /this is a text file$/],
    [
      'a checkpoint of protocol 0',
      'L119547037146038801333356L\n.I1001\n.(dp0\nVprotocol_version\np1',
      'unsupported-format',
      /protocol 0 or 1; load it with torch and save it again: .*, without pickle_protocol$/,
    ],
    ['a picture', '\u0089PNG\r\n\u001a\n', 'unsupported-format', /PNG/],
    ['a gzip archive', '\u001f\u008b\u0008', 'unsupported-format', /unpack/],
    ['zeros', '\u0000'.repeat(600), 'unsupported-format', /unfinished/],
    ['something else', '\u0001\u0002\u0003', 'unsupported-format', /of another kind$/],
    [
      'an ONNX model with a producer',
      '\u0008\u0007\u0012\u0007pytorch\u001a\u00052.1.0',
      'unsupported-format',
      /ONNX model, which runs as an upscaler under a name that ends with \.onnx$/,
    ],
    ['an ONNX model without', '\u0008\u0008:\u0080\u0001', 'unsupported-format', /ONNX/],
    ['an ncnn .param', '7767517\n10 12\nInput data 0 1 data', 'unsupported-format', /ncnn model \(\.param\)/],
    ['an ncnn .bin', '\u0047\u006b\u0030\u0001\u0000', 'unsupported-format', /ncnn model \(\.bin\)/],
    ['a TensorRT engine', 'ftrt\u0000\u0000\u0000\u0000', 'unsupported-format', /TensorRT/],
    ['an AppleDouble file', '\u0000\u0005\u0016\u0007\u0000\u0002', 'unsupported-format', /AppleDouble.*without \._/],
    ['an OpenVINO model', '<?xml version="1.0"?>\n<net name="x" version="11">', 'unsupported-format', /OpenVINO/],
    [
      'a TensorFlow graph, which begins as ONNX does',
      '\u0008\u0001\u0012\u0007',
      'unsupported-format',
      /of another kind$/,
    ],
    ['a tar archive', `a${'\u0000'.repeat(256)}ustar`, 'unsupported-format', /tar/],
  ])('refuses %s and says so', (_name, text, kind, message) => {
    const refusal = refusalOf(() => detect(latin1(text)));
    expect(refusal.kind).toBe(kind);
    expect(refusal.message).toMatch(message);
  });

  it('takes text in other scripts for text', () => {
    expect(refusalOf(() => detect(Buffer.from('模型不存在\n'))).kind).toBe('not-a-checkpoint');
  });
});
