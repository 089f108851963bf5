import { describe, expect, it } from '@jest/globals';
import { driveConfirmation, pageMessage } from '../../../../app/catalog/download/google-drive.ts';

const PAGE = new URL('https://drive.google.com/uc?export=download&id=abc');

describe('driveConfirmation', () => {
  it('is what the form of the page would ask for', () => {
    const html = `<form action="https://drive.usercontent.google.com/download" id="download-form" method="get">
      <input type="submit" value="Download anyway"><input type="hidden" name="id" value="abc">
      <input value="t" name="confirm" type="hidden"><input type="hidden" name="at" value="A&amp;B=&quot;"></form>`;
    expect(driveConfirmation(html, PAGE)?.href).toBe(
      'https://drive.usercontent.google.com/download?id=abc&confirm=t&at=A%26B%3D%22',
    );
  });

  it('is the link of the older page', () => {
    const html = '<a id="uc-download-link" href="/uc?export=download&amp;confirm=Ab1_&amp;id=abc">Download anyway</a>';
    expect(driveConfirmation(html, PAGE)?.href).toBe('https://drive.google.com/uc?export=download&confirm=Ab1_&id=abc');
  });

  it.each([
    '',
    '<html>Sign in</html>',
    '<form id="login" action="/login"><input type="hidden" name="a" value="b"></form>',
  ])('is not seen in %j', (html) => {
    expect(driveConfirmation(html, PAGE)).toBeUndefined();
  });
});

describe('pageMessage', () => {
  it('is what the page says for people', () => {
    expect(pageMessage('<title>Quota</title><p class="uc-error-subcaption">Too many <b>users</b>\n have</p>')).toBe(
      'Too many users have',
    );
    expect(pageMessage('<html><title>Sign in &amp; go</title></html>')).toBe('Sign in & go');
    expect(pageMessage('<html></html>')).toBeUndefined();
  });
});
