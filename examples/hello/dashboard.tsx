// A year of daily weather: totals, the range of temperatures day by day with
// the rain below it, and a table by month.

interface Day {
  date: string; // 2015-12-31
  rain: number; // mm
  high: number; // °C
  low: number;
  wind: number; // m/s
  sky: "sun" | "fog" | "drizzle" | "rain" | "snow";
}

interface Props {
  place: string;
  year: number;
  days: Day[];
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const monthOf = (d: Day) => MONTHS[Number(d.date.slice(5, 7)) - 1];
const sum = (xs: number[]) => xs.reduce((a, b) => a + b, 0);
const mean = (xs: number[]) => sum(xs) / xs.length;

// number formats like "1,139.2", with a true minus sign.
function number(x: number, digits = 0): string {
  const [whole, fraction] = Math.abs(x).toFixed(digits).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return (x < 0 ? "−" : "") + grouped + (fraction ? "." + fraction : "");
}

function Total({ label, value, unit }: { label: string; value: string; unit?: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        {value}
        {unit && <small> {unit}</small>}
      </dd>
    </div>
  );
}

function Totals({ days }: { days: Day[] }) {
  return (
    <dl className="totals">
      <Total label="Days" value={number(days.length)} />
      <Total label="Rain" value={number(sum(days.map((d) => d.rain)), 1)} unit="mm" />
      <Total label="Wet days" value={number(days.filter((d) => d.rain > 0).length)} />
      <Total label="Warmest" value={number(Math.max(...days.map((d) => d.high)), 1)} unit="°C" />
      <Total label="Coldest" value={number(Math.min(...days.map((d) => d.low)), 1)} unit="°C" />
    </dl>
  );
}

function Chart({ days, label }: { days: Day[]; label: string }) {
  const left = 40;
  const width = 720;
  const top = 12;
  const bottom = 250; // of the temperatures
  const floor = 316; // of the rain
  const x = (i: number) => (left + (i * (width - left)) / days.length).toFixed(1);
  const low = Math.floor(Math.min(...days.map((d) => d.low)) / 10) * 10;
  const high = Math.ceil(Math.max(...days.map((d) => d.high)) / 10) * 10;
  const y = (t: number) => (bottom - ((t - low) * (bottom - top)) / (high - low)).toFixed(1);
  const wettest = Math.max(...days.map((d) => d.rain));

  const highs = days.map((d, i) => `${x(i)} ${y(d.high)}`);
  const lows = days.map((d, i) => `${x(i)} ${y(d.low)}`).reverse();
  const rain = days
    .map((d, i) => (d.rain > 0 ? `M${x(i)} ${floor}v${((-d.rain / wettest) * 52).toFixed(1)}` : ""))
    .join("");
  const ticks: number[] = [];
  for (let t = low; t <= high; t += 10) ticks.push(t);

  return (
    <svg viewBox={`0 0 ${width} 336`} role="img" aria-label={label}>
      {ticks.map((t) => (
        <g key={t}>
          <line className={t === 0 ? "axis" : "grid"} x1={left} x2={width} y1={y(t)} y2={y(t)} />
          <text className="tick" x={left - 8} y={y(t)} dy="4" textAnchor="end">
            {number(t)}°
          </text>
        </g>
      ))}
      <path className="band" d={`M${highs.join("L")}L${lows.join("L")}Z`} />
      <path className="rain" d={rain} />
      <line className="axis" x1={left} x2={width} y1={floor} y2={floor} />
      <text className="tick" x={left - 8} y={floor} textAnchor="end">
        rain
      </text>
      {days.map((d, i) =>
        d.date.endsWith("-15") ? (
          <text key={d.date} className="tick" x={x(i)} y={floor + 16} textAnchor="middle">
            {monthOf(d)}
          </text>
        ) : null,
      )}
    </svg>
  );
}

function Row({ label, days }: { label: string; days: Day[] }) {
  return (
    <tr>
      <th scope="row">{label}</th>
      <td>{number(mean(days.map((d) => d.high)), 1)}</td>
      <td>{number(mean(days.map((d) => d.low)), 1)}</td>
      <td>{number(sum(days.map((d) => d.rain)), 1)}</td>
      <td>{days.filter((d) => d.rain > 0).length}</td>
      <td>{days.filter((d) => d.sky === "sun").length}</td>
    </tr>
  );
}

export default function Dashboard({ place, year, days }: Props) {
  const months = Map.groupBy(days, monthOf);
  return (
    <section className="dashboard" aria-label={`Weather in ${place}, ${year}, by month`}>
      <h2>
        {place} {year}, month by month
      </h2>
      <Totals days={days} />
      <Chart days={days} label={`Highest and lowest temperature of each day of ${year}, and its rain`} />
      <table>
        <caption>Temperatures are means in °C, rain is in mm.</caption>
        <thead>
          <tr>
            <th scope="col">Month</th>
            <th scope="col">High</th>
            <th scope="col">Low</th>
            <th scope="col">Rain</th>
            <th scope="col">Wet days</th>
            <th scope="col">Sunny days</th>
          </tr>
        </thead>
        <tbody>
          {[...months].map(([name, days]) => (
            <Row key={name} label={name} days={days} />
          ))}
        </tbody>
        <tfoot>
          <Row label="Year" days={days} />
        </tfoot>
      </table>
    </section>
  );
}
