import { describe, expect, it } from '@jest/globals';
import { downloadName } from '../../../app/http/download-name.ts';

describe('downloadName', () => {
  it.each([
    ['photo.jpg', 'photo_upscaled.png'],
    ['my.holiday.photo.jpg', 'my.holiday.photo_upscaled.png'],
    ['photo', 'photo_upscaled.png'],
    ['写真.webp', '写真_upscaled.png'],
    ['', 'image_upscaled.png'],
    ['.png', 'png_upscaled.png'],
    ['../../etc/passwd', 'passwd_upscaled.png'],
    ['C:\\Users\\me\\cat.bmp', 'cat_upscaled.png'],
    ['a\r\nSet-Cookie: x=1.png', 'aSet-Cookie x=1_upscaled.png'],
    ['nul\0byte.png', 'nulbyte_upscaled.png'],
    ['cute\u202Egnp.exe', 'cutegnp_upscaled.png'],
    ['say "cheese".png', 'say cheese_upscaled.png'],
    ['\uD800lone.png', 'lone_upscaled.png'],
    ['...', 'image_upscaled.png'],
  ])('makes %j into %j', (original, expected) => {
    expect(downloadName(original, 'upscale', '/anywhere/0.png')).toBe(expected);
  });

  it('shortens what is too long for a file system, at a whole character', () => {
    const name = downloadName(`${'😀'.repeat(3000)}.png`, 'upscale', '0.webp');
    expect(name).toBe(`${'😀'.repeat(50)}_upscaled.webp`);
  });
});
