package ingest

const (
	// leastEpoch is 10^11: a smaller number of "milliseconds" lies before March
	// 1973 and is nearly surely a number of seconds.
	leastEpoch = int64(100_000_000_000)
	endOfTime  = int64(10_000_000_000_000) // November 2286: what the tables' time type can hold
	dayMillis  = int64(24 * 60 * 60 * 1000)
)

// parseEpoch reads milliseconds since 1970 in decimal digits; a fraction is cut
// off. Signs and exponents are refused.
func parseEpoch(b []byte) (int64, bool) {
	n, ok := splitNumber(b)
	if !ok || n.negative || n.exponent != 0 || n.to != len(b) || n.point > 13 {
		return 0, false
	}
	t := int64(0)
	for _, c := range b[:n.point] {
		t = t*10 + int64(c-'0')
	}
	return t, t >= leastEpoch && t < endOfTime
}

// parseRFC3339 reads a time such as 2026-03-01T12:00:00.123456+01:00 and cuts it
// to milliseconds. Times before 1970 and leap seconds are refused.
func parseRFC3339(b []byte) (int64, bool) {
	if len(b) < len("2006-01-02T15:04:05Z") || b[4] != '-' || b[7] != '-' || b[10]|0x20 != 't' || b[13] != ':' || b[16] != ':' {
		return 0, false
	}
	year, ok1 := twoTwo(b[0:4])
	month, ok2 := two(b[5], b[6])
	day, ok3 := two(b[8], b[9])
	hour, ok4 := two(b[11], b[12])
	minute, ok5 := two(b[14], b[15])
	second, ok6 := two(b[17], b[18])
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6) || hour > 23 || minute > 59 || second > 59 ||
		month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	millis, rest, ok := fraction(b[19:])
	if !ok {
		return 0, false
	}
	offset, ok := zone(rest)
	t := days(year, month, day)*dayMillis + ((hour*60+minute-offset)*60+second)*1000 + millis
	return t, ok && t >= 0 && t < endOfTime
}

func two(a, b byte) (int64, bool) {
	a, b = a-'0', b-'0'
	return int64(a)*10 + int64(b), a <= 9 && b <= 9
}

func twoTwo(b []byte) (int64, bool) {
	high, ok1 := two(b[0], b[1])
	low, ok2 := two(b[2], b[3])
	return high*100 + low, ok1 && ok2
}

// fraction reads ".digits", if there, as milliseconds cut off after the third.
func fraction(b []byte) (millis int64, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '.' {
		return 0, b, true
	}
	end := digits(b, 1)
	for i, weight := 1, int64(100); i < end && i <= 3; i, weight = i+1, weight/10 {
		millis += int64(b[i]-'0') * weight
	}
	return millis, b[end:], end > 1
}

// zone reads "Z" or "+hh:mm" as minutes east of UTC.
func zone(b []byte) (int64, bool) {
	if len(b) == 1 {
		return 0, b[0]|0x20 == 'z'
	}
	if len(b) != 6 || b[0] != '+' && b[0] != '-' || b[3] != ':' {
		return 0, false
	}
	hour, ok1 := two(b[1], b[2])
	minute, ok2 := two(b[4], b[5])
	east := hour*60 + minute
	if b[0] == '-' {
		east = -east
	}
	return east, ok1 && ok2 && hour <= 23 && minute <= 59
}

func daysIn(year, month int64) int64 {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	default:
		return 31
	}
}

// days counts the days from 1970-01-01 in the Gregorian calendar. The year is
// taken to begin in March, so that the leap day is its last.
func days(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468
}
