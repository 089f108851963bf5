export {
  premultiply16,
  premultiplyGrayAlpha8,
  premultiplyRgba8,
  unpremultiply16,
  unpremultiplyGrayAlpha8,
  unpremultiplyRgba8,
} from './alpha';
export { weighColumnsGray8, weighColumnsGrayAlpha8, weighColumnsRgb8, weighColumnsRgba8 } from './columns-8';
export { addRows16, roundSums16, weighColumns16, weighColumnsGray16 } from './deep';
export { pickColumns } from './pick';
export { weighRows8 } from './rows-8';
