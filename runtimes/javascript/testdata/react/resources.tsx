import { preconnect, preload } from 'react-dom';
export default function Page() {
  preconnect('https://cdn.example.com');
  preload('/font.woff2', { as: 'font', type: 'font/woff2', crossOrigin: '' });
  return (
    <html lang="en">
      <head><title>{'A & B'}</title><meta name="description" content="x" /><link rel="stylesheet" href="/a.css" precedence="default" /></head>
      <body><h1>Page</h1><img src="/hero.png" alt="hero" /></body>
    </html>
  );
}
