import './codec-environment.ts'; // stays the first import: see there
import sharp from 'sharp';

/** The loaders of libvips that are open: the accepted formats from memory, and our own scratch files. */
const LOADERS = [
  'VipsForeignLoadJpegBuffer',
  'VipsForeignLoadPngBuffer',
  'VipsForeignLoadWebpBuffer',
  'VipsForeignLoadHeifBuffer',
  'VipsForeignLoadTiffBuffer',
  'VipsForeignLoadNsgifBuffer',
  'VipsForeignLoadVipsFile',
];

sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: LOADERS });
// Every image is read once; a cache would only hold its memory.
sharp.cache(false);

/** sharp, with every loader shut that is not named above. The one place that imports it. */
export { sharp };
