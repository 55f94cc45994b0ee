/** The gate: two posts, a beam that overhangs them, and the way through. */
export const mark = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" role="img" aria-label="Sekisho">
<rect width="32" height="32" rx="7" fill="#1f4f46"/>
<path d="M5 9.2c7 1.7 15 1.7 22 0v3.1c-7 1.4-15 1.4-22 0z" fill="#f3efe4"/>
<path d="M8.4 15.4h15.2v2.5H8.4z" fill="#f3efe4"/>
<path d="M9.6 12.4h3V26h-3zM19.4 12.4h3V26h-3z" fill="#f3efe4"/>
<circle cx="16" cy="23.4" r="1.9" fill="#e0a83c"/>
</svg>
`
