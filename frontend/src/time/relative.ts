/** Times as people read them. The server repeats this in telflo/ui/times.py: keep both alike. */

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const YEAR = 365 * DAY;

/** A length of time in its largest whole unit: `8 s`, `5 min`, `2 h`, `12 d`, `3 y`. */
export function span(seconds: number): string {
  const whole = Math.trunc(Math.abs(seconds));
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return `${Math.trunc(whole / MINUTE)} min`;
  if (whole < DAY) return `${Math.trunc(whole / HOUR)} h`;
  if (whole < 2 * YEAR) return `${Math.trunc(whole / DAY)} d`;
  return `${Math.trunc(whole / YEAR)} y`;
}

/** How long ago, or how far ahead: `5 min`, `5 min ago` (style `ago`), `in 6 d`. */
export function relative(moment: number, now: number, style: string): string {
  const seconds = (now - moment) / 1000;
  if (seconds <= -1) return `in ${span(seconds)}`;
  return style === "ago" ? `${span(seconds)} ago` : span(seconds);
}

/** A moment in full, in the reader's zone: `22 Nov 2026, 14:26 CET`. */
export function absolute(moment: Date, zone?: string): string {
  const parts = new Intl.DateTimeFormat("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
    ...(zone ? { timeZone: zone } : {}),
  }).formatToParts(moment);
  const get = (type: string) => parts.find((part) => part.type === type)?.value ?? "";
  return `${get("day")} ${shortMonth(get("month"))} ${get("year")}, ${get("hour")}:${get("minute")} ${get("timeZoneName")}`;
}

/** A moment short: `14:19` on the same day, `18 Nov` in the same year, else `18 Nov 2025`. */
export function clockOrDate(moment: Date, now: Date): string {
  if (moment.toDateString() === now.toDateString()) {
    return moment.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  }
  const month = shortMonth(moment.toLocaleDateString("en-GB", { month: "short" }));
  const day = `${moment.getDate()} ${month}`;
  return moment.getFullYear() === now.getFullYear() ? day : `${day} ${moment.getFullYear()}`;
}

/** British English writes `Sept`; the server writes three letters. */
function shortMonth(name: string): string {
  return name.slice(0, 3);
}
