//go:build !purego

#include "textflag.h"

// Loops over float32 in vectors of eight, two at a time. All take n > 0, a multiple of 16, and may be given the same memory for the result as for an
// operand. They do what the loops in Go do, bit for bit but for which NaN a NaN is: nothing is fused, and nothing is approximated.

// ENTER loads the arguments of func(d, x, y *float32, n int).
#define ENTER \
	MOVQ d+0(FP), DI   \
	MOVQ x+8(FP), SI   \
	MOVQ y+16(FP), DX  \
	MOVQ n+24(FP), CX  \
	XORQ AX, AX

// ENTER1 is ENTER for func(d, x *float32, n int).
#define ENTER1 \
	MOVQ d+0(FP), DI   \
	MOVQ x+8(FP), SI   \
	MOVQ n+16(FP), CX  \
	XORQ AX, AX

#define LOAD \
	VMOVUPS (SI)(AX*4), Y0    \
	VMOVUPS 32(SI)(AX*4), Y1

#define STORE \
	VMOVUPS Y0, (DI)(AX*4)    \
	VMOVUPS Y1, 32(DI)(AX*4)  \
	ADDQ    $16, AX           \
	CMPQ    AX, CX

// SIGNS puts the sign bits into Y15.
#define SIGNS \
	VPCMPEQD Y15, Y15, Y15  \
	VPSLLD   $31, Y15, Y15

#define LEAVE \
	VZEROUPPER  \
	RET

// MIN is the smaller of Y and the vector at MEM, as min of Go has it: a NaN if one is, and -0 of zeros of both signs. The
// instruction returns its second operand then, so both orders are taken and their bits joined.
#define MIN(MEM, Y) \
	VMOVUPS MEM, Y8     \
	VMINPS  Y8, Y, Y9   \
	VMINPS  Y, Y8, Y    \
	VORPS   Y9, Y, Y

// MAX is likewise the larger: max(x, y) = -min(-x, -y).
#define MAX(MEM, Y) \
	VXORPS Y15, Y, Y     \
	VXORPS MEM, Y15, Y8  \
	VMINPS Y8, Y, Y9     \
	VMINPS Y, Y8, Y      \
	VORPS  Y9, Y, Y      \
	VXORPS Y15, Y, Y

#define ADD(MEM, Y) VADDPS MEM, Y, Y
#define SUB(MEM, Y) VSUBPS MEM, Y, Y
#define MUL(MEM, Y) VMULPS MEM, Y, Y
#define DIV(MEM, Y) VDIVPS MEM, Y, Y

#define NEGATIVE(MEM, Y) VXORPS Y15, Y, Y
#define ABS(MEM, Y) VANDNPS Y, Y15, Y
#define SQRT(MEM, Y) VSQRTPS Y, Y
#define FLOOR(MEM, Y) VROUNDPS $9, Y, Y
#define CEIL(MEM, Y) VROUNDPS $10, Y, Y
#define ROUND(MEM, Y) VROUNDPS $8, Y, Y

// BINARY is d = x OP y.
#define BINARY(OP) \
	ENTER                    \
	SIGNS                    \
loop:                        \
	LOAD                     \
	OP((DX)(AX*4), Y0)       \
	OP(32(DX)(AX*4), Y1)     \
	STORE                    \
	JLT  loop                \
	LEAVE

// UNARY is d = OP x. OP does not look at its first argument.
#define UNARY(OP) \
	ENTER1              \
	SIGNS               \
loop:                   \
	LOAD                \
	OP((SI), Y0)        \
	OP((SI), Y1)        \
	STORE               \
	JLT  loop           \
	LEAVE

// func addAVX2(d, x, y *float32, n int)
TEXT ·addAVX2(SB), NOSPLIT, $0-32
	BINARY(ADD)

// func subtractAVX2(d, x, y *float32, n int)
TEXT ·subtractAVX2(SB), NOSPLIT, $0-32
	BINARY(SUB)

// func multiplyAVX2(d, x, y *float32, n int)
TEXT ·multiplyAVX2(SB), NOSPLIT, $0-32
	BINARY(MUL)

// func divideAVX2(d, x, y *float32, n int)
TEXT ·divideAVX2(SB), NOSPLIT, $0-32
	BINARY(DIV)

// func minimumAVX2(d, x, y *float32, n int)
TEXT ·minimumAVX2(SB), NOSPLIT, $0-32
	BINARY(MIN)

// func maximumAVX2(d, x, y *float32, n int)
TEXT ·maximumAVX2(SB), NOSPLIT, $0-32
	BINARY(MAX)

// func negativeAVX2(d, x *float32, n int)
TEXT ·negativeAVX2(SB), NOSPLIT, $0-24
	UNARY(NEGATIVE)

// func absAVX2(d, x *float32, n int)
TEXT ·absAVX2(SB), NOSPLIT, $0-24
	UNARY(ABS)

// func sqrtAVX2(d, x *float32, n int)
TEXT ·sqrtAVX2(SB), NOSPLIT, $0-24
	UNARY(SQRT)

// func floorAVX2(d, x *float32, n int)
TEXT ·floorAVX2(SB), NOSPLIT, $0-24
	UNARY(FLOOR)

// func ceilAVX2(d, x *float32, n int)
TEXT ·ceilAVX2(SB), NOSPLIT, $0-24
	UNARY(CEIL)

// func roundAVX2(d, x *float32, n int)
TEXT ·roundAVX2(SB), NOSPLIT, $0-24
	UNARY(ROUND)

// A link of a chain works on the 64 elements in Y0 to Y7 and those at DX. It leaves the other general registers alone but for BX, and Y15 as SIGNS has it.
#define EACH(OP) \
	OP((DX), Y0)     \
	OP(32(DX), Y1)   \
	OP(64(DX), Y2)   \
	OP(96(DX), Y3)   \
	OP(128(DX), Y4)  \
	OP(160(DX), Y5)  \
	OP(192(DX), Y6)  \
	OP(224(DX), Y7)  \
	RET

#define FROM(MEM, Y) \
	VMOVUPS MEM, Y8    \
	VSUBPS  Y, Y8, Y

#define INTO(MEM, Y) \
	VMOVUPS MEM, Y8    \
	VDIVPS  Y, Y8, Y

TEXT linkAdd<>(SB), NOSPLIT, $0-0
	EACH(ADD)

TEXT linkSubtract<>(SB), NOSPLIT, $0-0
	EACH(SUB)

TEXT linkFrom<>(SB), NOSPLIT, $0-0
	EACH(FROM)

TEXT linkMultiply<>(SB), NOSPLIT, $0-0
	EACH(MUL)

TEXT linkDivide<>(SB), NOSPLIT, $0-0
	EACH(DIV)

TEXT linkInto<>(SB), NOSPLIT, $0-0
	EACH(INTO)

TEXT linkMinimum<>(SB), NOSPLIT, $0-0
	EACH(MIN)

TEXT linkMaximum<>(SB), NOSPLIT, $0-0
	EACH(MAX)

TEXT linkNegative<>(SB), NOSPLIT, $0-0
	EACH(NEGATIVE)

TEXT linkAbs<>(SB), NOSPLIT, $0-0
	EACH(ABS)

TEXT linkSqrt<>(SB), NOSPLIT, $0-0
	EACH(SQRT)

TEXT linkFloor<>(SB), NOSPLIT, $0-0
	EACH(FLOOR)

TEXT linkCeil<>(SB), NOSPLIT, $0-0
	EACH(CEIL)

TEXT linkRound<>(SB), NOSPLIT, $0-0
	EACH(ROUND)

// In the order of linkAdd and what follows it in chain.go.
DATA links<>+0(SB)/8, $linkAdd<>(SB)
DATA links<>+8(SB)/8, $linkSubtract<>(SB)
DATA links<>+16(SB)/8, $linkFrom<>(SB)
DATA links<>+24(SB)/8, $linkMultiply<>(SB)
DATA links<>+32(SB)/8, $linkDivide<>(SB)
DATA links<>+40(SB)/8, $linkInto<>(SB)
DATA links<>+48(SB)/8, $linkMinimum<>(SB)
DATA links<>+56(SB)/8, $linkMaximum<>(SB)
DATA links<>+64(SB)/8, $linkNegative<>(SB)
DATA links<>+72(SB)/8, $linkAbs<>(SB)
DATA links<>+80(SB)/8, $linkSqrt<>(SB)
DATA links<>+88(SB)/8, $linkFloor<>(SB)
DATA links<>+96(SB)/8, $linkCeil<>(SB)
DATA links<>+104(SB)/8, $linkRound<>(SB)
GLOBL links<>(SB), RODATA|NOPTR, $112

// func chainAVX2(d, x *float32, n int, ops *linkOp, count int)
//
// It sets d to x after count > 0 operations, all of them on 64 elements, which stay in registers meanwhile, and then on the next. n is a multiple of 64.
TEXT ·chainAVX2(SB), NOSPLIT, $0-40
	MOVQ d+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ ops+24(FP), R8
	MOVQ count+32(FP), R11
	SHLQ $4, R11
	ADDQ R8, R11
	LEAQ links<>(SB), R9
	XORQ AX, AX
	SIGNS
strip:
	VMOVUPS (SI)(AX*4), Y0
	VMOVUPS 32(SI)(AX*4), Y1
	VMOVUPS 64(SI)(AX*4), Y2
	VMOVUPS 96(SI)(AX*4), Y3
	VMOVUPS 128(SI)(AX*4), Y4
	VMOVUPS 160(SI)(AX*4), Y5
	VMOVUPS 192(SI)(AX*4), Y6
	VMOVUPS 224(SI)(AX*4), Y7
	MOVQ    R8, R10
link:
	MOVQ (R10), BX
	MOVQ 8(R10), DX
	LEAQ (DX)(AX*4), DX
	CALL (R9)(BX*8)
	ADDQ $16, R10
	CMPQ R10, R11
	JCS  link
	VMOVUPS Y0, (DI)(AX*4)
	VMOVUPS Y1, 32(DI)(AX*4)
	VMOVUPS Y2, 64(DI)(AX*4)
	VMOVUPS Y3, 96(DI)(AX*4)
	VMOVUPS Y4, 128(DI)(AX*4)
	VMOVUPS Y5, 160(DI)(AX*4)
	VMOVUPS Y6, 192(DI)(AX*4)
	VMOVUPS Y7, 224(DI)(AX*4)
	ADDQ    $64, AX
	CMPQ    AX, CX
	JLT     strip
	LEAVE

// func sumsAVX2(x, y *float32, n int, s *[16]float64)
//
// It adds, in float64, the elements of x to s[0] to s[7] in turn and those of y to s[8] to s[15]. n is a multiple of 8. What comes a page later
// is fetched ahead: the processor's own prefetching ends at the end of each page. A prefetch never faults.
TEXT ·sumsAVX2(SB), NOSPLIT, $0-32
	MOVQ    x+0(FP), SI
	MOVQ    y+8(FP), DX
	MOVQ    n+16(FP), CX
	MOVQ    s+24(FP), DI
	VMOVUPD (DI), Y0
	VMOVUPD 32(DI), Y1
	VMOVUPD 64(DI), Y2
	VMOVUPD 96(DI), Y3
	XORQ    AX, AX
loop:
	PREFETCHT0 4096(SI)(AX*4)
	PREFETCHT0 4096(DX)(AX*4)
	VCVTPS2PD (SI)(AX*4), Y4
	VCVTPS2PD 16(SI)(AX*4), Y5
	VCVTPS2PD (DX)(AX*4), Y6
	VCVTPS2PD 16(DX)(AX*4), Y7
	VADDPD    Y4, Y0, Y0
	VADDPD    Y5, Y1, Y1
	VADDPD    Y6, Y2, Y2
	VADDPD    Y7, Y3, Y3
	ADDQ      $8, AX
	CMPQ      AX, CX
	JLT       loop
	VMOVUPD   Y0, (DI)
	VMOVUPD   Y1, 32(DI)
	VMOVUPD   Y2, 64(DI)
	VMOVUPD   Y3, 96(DI)
	LEAVE

// ROW adds the product of one element of the left panel and a row of the right one, in Y8 and Y9, to the sums of a row of the tile.
#define ROW(AT, SUM0, SUM1) \
	VBROADCASTSS AT(SI), Y10     \
	VMULPS       Y8, Y10, Y11    \
	VMULPS       Y9, Y10, Y12    \
	VADDPS       Y11, SUM0, SUM0 \
	VADDPS       Y12, SUM1, SUM1

// func productAVX2(c, a, b *float32, n int)
//
// It sets c to the product of a panel of four rows and one of sixteen columns, of n > 0. Each element is summed in the order of the inner index.
TEXT ·productAVX2(SB), NOSPLIT, $0-32
	MOVQ   c+0(FP), DI
	MOVQ   a+8(FP), SI
	MOVQ   b+16(FP), DX
	MOVQ   n+24(FP), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
loop:
	VMOVUPS (DX), Y8
	VMOVUPS 32(DX), Y9
	ROW(0, Y0, Y1)
	ROW(4, Y2, Y3)
	ROW(8, Y4, Y5)
	ROW(12, Y6, Y7)
	ADDQ    $16, SI
	ADDQ    $64, DX
	DECQ    CX
	JNZ     loop
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	VMOVUPS Y4, 128(DI)
	VMOVUPS Y5, 160(DI)
	VMOVUPS Y6, 192(DI)
	VMOVUPS Y7, 224(DI)
	LEAVE

// func dotsAVX2(a, b *float32, n int, s *[16]float32)
//
// It adds the products of n elements of a and b to s[0] to s[7] in turn, and those of the next n to s[8] to s[15]. n is a multiple of 8.
TEXT ·dotsAVX2(SB), NOSPLIT, $0-32
	MOVQ    a+0(FP), SI
	MOVQ    b+8(FP), DX
	MOVQ    n+16(FP), CX
	MOVQ    s+24(FP), DI
	LEAQ    (SI)(CX*4), R8
	LEAQ    (DX)(CX*4), R9
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	XORQ    AX, AX
loop:
	PREFETCHT0 4096(SI)(AX*4)
	PREFETCHT0 4096(R8)(AX*4)
	VMOVUPS    (SI)(AX*4), Y2
	VMOVUPS    (R8)(AX*4), Y3
	VMULPS     (DX)(AX*4), Y2, Y2
	VMULPS     (R9)(AX*4), Y3, Y3
	VADDPS     Y2, Y0, Y0
	VADDPS     Y3, Y1, Y1
	ADDQ       $8, AX
	CMPQ       AX, CX
	JLT        loop
	VMOVUPS    Y0, (DI)
	VMOVUPS    Y1, 32(DI)
	LEAVE
