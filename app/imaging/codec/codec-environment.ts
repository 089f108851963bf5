/**
 * Has to be evaluated before sharp is: libvips reads these once, when it starts, and later changes are ignored without a
 * word. Hence a module of its own, and the first import of codec-sharp.ts.
 */
process.env['VIPS_BLOCK_UNTRUSTED'] = '1';
delete process.env['VIPS_UNLIMITED'];
