package cuda

import "fmt"

// A symbol is a function of a library, by the exact name that has the meaning that is expected here: names of CUDA without a version
// mean other functions in other versions of its headers. args is how many arguments it takes.
type symbol struct {
	name string
	args int
}

// The functions of the driver, libcuda.
const (
	cuInit = iota
	cuDriverGetVersion
	cuDeviceGet
	cuDeviceGetCount
	cuDeviceGetName
	cuDeviceGetAttribute
	cuDeviceGetUuid
	cuDeviceTotalMem
	cuDevicePrimaryCtxRetain
	cuDevicePrimaryCtxRelease
	cuCtxSetCurrent
	cuMemGetInfo
	cuMemAlloc
	cuMemFree
	cuMemHostAlloc
	cuMemFreeHost
	cuMemHostRegister
	cuMemHostUnregister
	cuMemcpyHtoDAsync
	cuMemcpyDtoHAsync
	cuMemsetD8Async
	cuStreamCreate
	cuStreamDestroy
	cuEventCreate
	cuEventDestroy
	cuEventRecord
	cuEventQuery
	cuModuleLoadData
	cuModuleUnload
	cuModuleGetFunction
	cuLaunchKernel
	cuGetErrorString
	numDriver
)

var driverSymbols = [numDriver]symbol{
	cuInit: {"cuInit", 1}, cuDriverGetVersion: {"cuDriverGetVersion", 1},
	cuDeviceGet: {"cuDeviceGet", 2}, cuDeviceGetCount: {"cuDeviceGetCount", 1}, cuDeviceGetName: {"cuDeviceGetName", 3},
	cuDeviceGetAttribute: {"cuDeviceGetAttribute", 3}, cuDeviceGetUuid: {"cuDeviceGetUuid_v2", 2}, cuDeviceTotalMem: {"cuDeviceTotalMem_v2", 2},
	cuDevicePrimaryCtxRetain: {"cuDevicePrimaryCtxRetain", 2}, cuDevicePrimaryCtxRelease: {"cuDevicePrimaryCtxRelease_v2", 1},
	cuCtxSetCurrent: {"cuCtxSetCurrent", 1},
	cuMemGetInfo:    {"cuMemGetInfo_v2", 2}, cuMemAlloc: {"cuMemAlloc_v2", 2}, cuMemFree: {"cuMemFree_v2", 1},
	cuMemHostAlloc: {"cuMemHostAlloc", 3}, cuMemFreeHost: {"cuMemFreeHost", 1},
	cuMemHostRegister: {"cuMemHostRegister_v2", 3}, cuMemHostUnregister: {"cuMemHostUnregister", 1},
	cuMemcpyHtoDAsync: {"cuMemcpyHtoDAsync_v2", 4}, cuMemcpyDtoHAsync: {"cuMemcpyDtoHAsync_v2", 4}, cuMemsetD8Async: {"cuMemsetD8Async", 4},
	cuStreamCreate: {"cuStreamCreate", 2}, cuStreamDestroy: {"cuStreamDestroy_v2", 1},
	cuEventCreate: {"cuEventCreate", 2}, cuEventDestroy: {"cuEventDestroy_v2", 1}, cuEventRecord: {"cuEventRecord", 2}, cuEventQuery: {"cuEventQuery", 1},
	cuModuleLoadData: {"cuModuleLoadData", 2}, cuModuleUnload: {"cuModuleUnload", 1}, cuModuleGetFunction: {"cuModuleGetFunction", 3},
	cuLaunchKernel: {"cuLaunchKernel", 11}, cuGetErrorString: {"cuGetErrorString", 2},
}

// The functions of the compiler, libnvrtc.
const (
	nvrtcVersion = iota
	nvrtcCreateProgram
	nvrtcCompileProgram
	nvrtcGetProgramLogSize
	nvrtcGetProgramLog
	nvrtcGetCUBINSize
	nvrtcGetCUBIN
	nvrtcDestroyProgram
	nvrtcGetErrorString
	numNVRTC
)

var nvrtcSymbols = [numNVRTC]symbol{
	nvrtcVersion: {"nvrtcVersion", 2}, nvrtcCreateProgram: {"nvrtcCreateProgram", 6}, nvrtcCompileProgram: {"nvrtcCompileProgram", 3},
	nvrtcGetProgramLogSize: {"nvrtcGetProgramLogSize", 2}, nvrtcGetProgramLog: {"nvrtcGetProgramLog", 2},
	nvrtcGetCUBINSize: {"nvrtcGetCUBINSize", 2}, nvrtcGetCUBIN: {"nvrtcGetCUBIN", 2},
	nvrtcDestroyProgram: {"nvrtcDestroyProgram", 1}, nvrtcGetErrorString: {"nvrtcGetErrorString", 1},
}

// The functions of the library of linear algebra, libcublas.
const (
	cublasCreate = iota
	cublasDestroy
	cublasGetVersion
	cublasSetStream
	cublasSetMathMode
	cublasGemmEx
	cublasGemmStridedBatchedEx
	numCUBLAS
)

var cublasSymbols = [numCUBLAS]symbol{
	cublasCreate: {"cublasCreate_v2", 1}, cublasDestroy: {"cublasDestroy_v2", 1}, cublasGetVersion: {"cublasGetVersion_v2", 2},
	cublasSetStream: {"cublasSetStream_v2", 2}, cublasSetMathMode: {"cublasSetMathMode", 2},
	cublasGemmEx: {"cublasGemmEx", 19}, cublasGemmStridedBatchedEx: {"cublasGemmStridedBatchedEx", 23},
}

// driverNames are names under which the driver is looked for.
var driverNames = []string{"libcuda.so.1"}

// namesFor returns the names under which a library of CUDA is looked for: that of the driver's major version first, as a driver need not take
// what is newer, then older ones.
func namesFor(library string, driver int) []string {
	var names, newer []string
	for _, major := range []int{13, 12} {
		name := fmt.Sprintf("%s.so.%d", library, major)
		if major > driver/1000 {
			newer = append(newer, name)
		} else {
			names = append(names, name)
		}
	}
	return append(append(names, library+".so"), newer...)
}

// nvrtcOptions are how kernels are compiled, beside the architecture: results are those of IEEE arithmetic, as on other backends.
var nvrtcOptions = []string{"--std=c++17", "--fmad=false", "--ftz=false", "--prec-div=true", "--prec-sqrt=true"}
