/// The decimal digits of a finite positive number, few enough and exact enough to read back.
///
/// Grisu2 (Loitsch, "Printing floating-point numbers quickly and accurately with integers",
/// 2010): the number and the bounds of what rounds to it are scaled by a power of ten so that
/// 64 bits hold them, and digits are taken off the upper bound until what is left lies within.
/// One number in a thousand gets a digit more than it needs. Valkey writes scores this way, so
/// these texts are equal to its, byte for byte.
struct ShortestDouble {
    /// At most 17 digits, as numbers.
    private(set) var digits = InlineArray<18, UInt8>(repeating: 0)
    private(set) var count = 0
    /// The power of ten that the last digit counts.
    private(set) var exponent = 0

    /// A number of 64 bits times a power of two.
    private struct Scaled {
        var significand: UInt64
        var exponent: Int

        /// The product's upper 64 bits, rounded.
        static func * (one: Scaled, other: Scaled) -> Scaled {
            let (high, low) = one.significand.multipliedFullWidth(by: other.significand)
            return Scaled(
                significand: high &+ low >> 63,
                exponent: one.exponent + other.exponent + 64
            )
        }
    }

    init(_ value: Double) {
        let hiddenBit: UInt64 = 1 << 52
        let fraction = value.significandBitPattern
        let isNormal = value.exponentBitPattern > 0
        let significand = isNormal ? fraction | hiddenBit : fraction
        let power = (isNormal ? Int(value.exponentBitPattern) : 1) - 1075

        // Half way to the numbers above and below; below a power of two, they lie closer.
        let upperShift = (significand << 1 + 1).leadingZeroBitCount
        let upper = Scaled(
            significand: (significand << 1 + 1) << UInt64(upperShift),
            exponent: power - 1 - upperShift
        )
        let isPowerOfTwo = significand == hiddenBit
        let lowerShift = isPowerOfTwo ? 2 : 1
        let lower = Scaled(
            significand: (significand << UInt64(lowerShift) - 1)
                << UInt64(power - lowerShift - upper.exponent),
            exponent: upper.exponent
        )
        let shift = significand.leadingZeroBitCount
        let middle = Scaled(significand: significand << UInt64(shift), exponent: power - shift)

        let (scale, scaleExponent) = ShortestDouble.scale(for: upper.exponent)
        exponent = -scaleExponent
        // The products are off by less than one: what is safely inside stays inside.
        var high = upper * scale
        high.significand -= 1
        let low = (lower * scale).significand + 1
        generate(from: high, middle: (middle * scale).significand, width: high.significand - low)
    }

    /// Takes digits off `high` until what is left is less than `width`.
    private mutating func generate(from high: Scaled, middle: UInt64, width: UInt64) {
        let fractionBits = UInt64(-high.exponent)
        let one: UInt64 = 1 << fractionBits
        let distance = high.significand - middle
        var whole = high.significand >> fractionBits
        var fraction = high.significand & (one - 1)
        var width = width
        var divisor: UInt64 = 1_000_000_000
        var power = 10
        while power > 0 {
            power -= 1
            append(UInt8(truncatingIfNeeded: whole / divisor))
            whole %= divisor
            let rest = whole << fractionBits + fraction
            if rest <= width {
                exponent += power
                return settle(rest, width, unit: divisor << fractionBits, distance)
            }
            divisor /= 10
        }
        var scale: UInt64 = 1
        while true {
            fraction *= 10
            width *= 10
            scale *= 10
            power -= 1
            append(UInt8(truncatingIfNeeded: fraction >> fractionBits))
            fraction &= one - 1
            if fraction < width {
                exponent += power
                return settle(fraction, width, unit: one, distance &* scale)
            }
        }
    }

    private mutating func append(_ digit: UInt8) {
        guard digit != 0 || count > 0 else { return }
        digits[count] = digit
        count += 1
    }

    /// Lowers the last digit as long as that brings the text closer to the number.
    private mutating func settle(
        _ rest: UInt64,
        _ width: UInt64,
        unit: UInt64,
        _ distance: UInt64
    ) {
        var rest = rest
        while rest < distance, width - rest >= unit,
            rest + unit < distance || distance - rest > rest + unit - distance
        {
            digits[count - 1] -= 1
            rest += unit
        }
    }

    /// A power of ten that brings a number of this binary exponent to between -60 and -32.
    private static func scale(for exponent: Int) -> (Scaled, exponent: Int) {
        // Times log10(2). Where two powers would do, this decides for the one that Valkey takes.
        let approximate = Int(Double(-(exponent + 87)) * 0.30102999566398114)
        var index = (approximate - leastPower) / 8
        while true {
            let power = leastPower + 8 * index
            // floor(log2(10) * power), in 19 bits.
            let scaled = Scaled(
                significand: powersOfTen[index],
                exponent: (power * 1_741_647) >> 19 - 63
            )
            let result = exponent + scaled.exponent + 64
            if result < -60 {
                index += 1
            } else if result > -32 {
                index -= 1
            } else {
                return (scaled, power)
            }
        }
    }

    private static let leastPower = -348

    /// The upper 64 bits, rounded, of every eighth power of ten from 10^-348 to 10^340.
    private static let powersOfTen: InlineArray<87, UInt64> = [
        0xFA8F_D5A0_081C_0288, 0xBAAE_E17F_A23E_BF76, 0x8B16_FB20_3055_AC76, 0xCF42_894A_5DCE_35EA,
        0x9A6B_B0AA_5565_3B2D, 0xE61A_CF03_3D1A_45DF, 0xAB70_FE17_C79A_C6CA, 0xFF77_B1FC_BEBC_DC4F,
        0xBE56_91EF_416B_D60C, 0x8DD0_1FAD_907F_FC3C, 0xD351_5C28_3155_9A83, 0x9D71_AC8F_ADA6_C9B5,
        0xEA9C_2277_23EE_8BCB, 0xAECC_4991_4078_536D, 0x823C_1279_5DB6_CE57, 0xC210_9436_4DFB_5637,
        0x9096_EA6F_3848_984F, 0xD774_85CB_2582_3AC7, 0xA086_CFCD_97BF_97F4, 0xEF34_0A98_172A_ACE5,
        0xB238_67FB_2A35_B28E, 0x84C8_D4DF_D2C6_3F3B, 0xC5DD_4427_1AD3_CDBA, 0x936B_9FCE_BB25_C996,
        0xDBAC_6C24_7D62_A584, 0xA3AB_6658_0D5F_DAF6, 0xF3E2_F893_DEC3_F126, 0xB5B5_ADA8_AAFF_80B8,
        0x8762_5F05_6C7C_4A8B, 0xC9BC_FF60_34C1_3053, 0x964E_858C_91BA_2655, 0xDFF9_7724_7029_7EBD,
        0xA6DF_BD9F_B8E5_B88F, 0xF8A9_5FCF_8874_7D94, 0xB944_7093_8FA8_9BCF, 0x8A08_F0F8_BF0F_156B,
        0xCDB0_2555_6531_31B6, 0x993F_E2C6_D07B_7FAC, 0xE45C_10C4_2A2B_3B06, 0xAA24_2499_6973_92D3,
        0xFD87_B5F2_8300_CA0E, 0xBCE5_0864_9211_1AEB, 0x8CBC_CC09_6F50_88CC, 0xD1B7_1758_E219_652C,
        0x9C40_0000_0000_0000, 0xE8D4_A510_0000_0000, 0xAD78_EBC5_AC62_0000, 0x813F_3978_F894_0984,
        0xC097_CE7B_C907_15B3, 0x8F7E_32CE_7BEA_5C70, 0xD5D2_38A4_ABE9_8068, 0x9F4F_2726_179A_2245,
        0xED63_A231_D4C4_FB27, 0xB0DE_6538_8CC8_ADA8, 0x83C7_088E_1AAB_65DB, 0xC45D_1DF9_4271_1D9A,
        0x924D_692C_A61B_E758, 0xDA01_EE64_1A70_8DEA, 0xA26D_A399_9AEF_774A, 0xF209_787B_B47D_6B85,
        0xB454_E4A1_79DD_1877, 0x865B_8692_5B9B_C5C2, 0xC835_53C5_C896_5D3D, 0x952A_B45C_FA97_A0B3,
        0xDE46_9FBD_99A0_5FE3, 0xA59B_C234_DB39_8C25, 0xF6C6_9A72_A398_9F5C, 0xB7DC_BF53_54E9_BECE,
        0x88FC_F317_F222_41E2, 0xCC20_CE9B_D35C_78A5, 0x9816_5AF3_7B21_53DF, 0xE2A0_B5DC_971F_303A,
        0xA8D9_D153_5CE3_B396, 0xFB9B_7CD9_A4A7_443C, 0xBB76_4C4C_A7A4_4410, 0x8BAB_8EEF_B640_9C1A,
        0xD01F_EF10_A657_842C, 0x9B10_A4E5_E991_3129, 0xE710_9BFB_A19C_0C9D, 0xAC28_20D9_623B_F429,
        0x8044_4B5E_7AA7_CF85, 0xBF21_E440_03AC_DD2D, 0x8E67_9C2F_5E44_FF8F, 0xD433_179D_9C8C_B841,
        0x9E19_DB92_B4E3_1BA9, 0xEB96_BF6E_BADF_77D9, 0xAF87_023B_9BF0_EE6B,
    ]
}

extension ByteWriter {
    /// Appends a number in a short text that reads back the same.
    ///
    /// Integers up to 2^62 have no exponent or point. Others have plain digits while the
    /// exponent is small, else `d.ddde+XX`. Infinities are `inf` and `-inf`.
    public mutating func append(shortest value: Double) {
        if value != 0, let whole = Int64(exactly: value), whole.magnitude <= 1 << 62 {
            return append(decimal: whole)
        }
        append(exponential: value)
    }

    /// Appends a number as `append(shortest:)` does, but large integers with an exponent, too.
    public mutating func append(exponential value: Double) {
        if value.isNaN { return append("nan") }
        if value.isInfinite { return append(value < 0 ? "-inf" : "inf") }
        if value == 0 { return append(value.sign == .minus ? "-0" : "0") }
        if value < 0 { append(UInt8(ascii: "-")) }
        append(ShortestDouble(value.magnitude))
    }

    private mutating func append(_ number: ShortestDouble) {
        let count = number.count
        let exponent = number.exponent
        let scientific = exponent + count - 1
        if exponent >= 0, abs(scientific) < count + 7 {
            append(number, 0..<count)
            appendZeros(exponent)
        } else if exponent < 0, exponent > -7 || abs(scientific) < 4 {
            let whole = count + exponent
            if whole <= 0 {
                append("0.")
                appendZeros(-whole)
                append(number, 0..<count)
            } else {
                append(number, 0..<whole)
                append(UInt8(ascii: "."))
                append(number, whole..<count)
            }
        } else {
            append(number, 0..<1)
            if count > 1 {
                append(UInt8(ascii: "."))
                append(number, 1..<count)
            }
            append(scientific < 0 ? "e-" : "e+")
            append(decimal: Int64(abs(scientific)))
        }
    }

    private mutating func append(_ number: ShortestDouble, _ range: Range<Int>) {
        for index in range { append(UInt8(ascii: "0") + number.digits[index]) }
    }

    private mutating func appendZeros(_ count: Int) {
        for _ in 0..<count { append(UInt8(ascii: "0")) }
    }
}
