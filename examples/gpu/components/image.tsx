// A picture on the device: made there or sent there by the host, changed, and made small enough to be shown. Only what is shown
// comes into this component.
import gpu, { type GpuArray } from "gpu";

interface Props {
  width: number;
  height: number;
  digest?: string; // of the picture, uint8[height,width,3]; without it one is made up
  brightness: number; // -1 to 1
  contrast: number; // -1 to 1
  gray: boolean;
  blur: number; // pixels to each side
  show: number; // pixels in a row at most
}

// plasma makes up a picture with values from -0.1 to 0.9.
function plasma(width: number, height: number): GpuArray {
  const x = gpu.arange(0, width, 1, { dtype: "float32" }).div(width).reshape([1, width, 1]);
  const y = gpu.arange(0, height, 1, { dtype: "float32" }).div(height).reshape([height, 1, 1]);
  const wave = x.mul(9).add(y.mul(5).sin().mul(2)).sin().add(y.mul(11).add(x.mul(7).cos()).cos());
  const phases = gpu.asarray([0, 2.1, 4.2]).reshape([1, 1, 3]);
  const checks = x.mul(40).floor().add(y.mul(30).floor()).mod(2).mul(0.2);
  return wave.mul(3).add(phases).sin().mul(0.4).add(0.5).sub(checks);
}

// blurred is the mean of each pixel and its neighbours along an axis; pixels at the edge are repeated.
function blurred(x: GpuArray, axis: 0 | 1, radius: number): GpuArray {
  const n = x.shape[axis];
  const cut = (a: GpuArray, from: number, to: number) => a.slice(axis === 0 ? [[from, to]] : [":", [from, to]]);
  const edge = (from: number) => {
    const shape = [...x.shape];
    shape[axis] = radius;
    return gpu.broadcast_to(cut(x, from, from + 1), shape);
  };
  const padded = gpu.concat([edge(0), x, edge(n - 1)], { axis });
  let sum = cut(padded, 0, n);
  for (let i = 1; i <= 2 * radius; i++) sum = sum.add(cut(padded, i, i + n));
  return sum.mul(1 / (2 * radius + 1));
}

export async function render(p: Props) {
  let x = p.digest
    ? gpu.constant({ digest: p.digest, dtype: "uint8", shape: [p.height, p.width, 3] }).astype("float32").div(255)
    : plasma(p.width, p.height);
  x = x.sub(0.5).mul(1 + p.contrast).add(0.5 + p.brightness).clip(0, 1);
  if (p.gray) {
    const light = gpu.asarray([0.2126, 0.7152, 0.0722]);
    x = gpu.broadcast_to(x.mul(light).sum({ axis: 2, keepdims: true }), x.shape);
  }
  if (p.blur > 0) x = blurred(blurred(x, 0, p.blur), 1, p.blur);
  const by = Math.ceil(p.width / p.show);
  const [height, width] = [Math.floor(p.height / by), Math.floor(p.width / by)];
  if (by > 1) x = x.slice([[0, height * by], [0, width * by]]).reshape([height, by, width, by, 3]).mean([1, 3]);
  return { width, height, by, pixels: await x.mul(255).add(0.5).astype("uint8").data() };
}
